export { log as default } from "../fake.js";
