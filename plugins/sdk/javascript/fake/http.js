export { http as default } from "../fake.js";
