export { secrets as default } from "../fake.js";
