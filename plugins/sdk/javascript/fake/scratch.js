export { scratch as default } from "../fake.js";
