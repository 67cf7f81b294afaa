import connbits from "./index.js";

export const { getLoadablePath, load } = connbits;
export default connbits;
