export { reservation as default } from "../fake.js";
