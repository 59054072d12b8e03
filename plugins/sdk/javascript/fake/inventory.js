export { inventory as default } from "../fake.js";
