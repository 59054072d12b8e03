export { config as default } from "../fake.js";
