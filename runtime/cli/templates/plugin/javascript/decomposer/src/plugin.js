// Makes one access for each site of an item.

import { Failure, decomposer } from "ferrule-plugin";

export const { decomposition } = decomposer({
  decompose({ spec, characteristics }) {
    const sites = characteristics.sites ?? [];
    if (!Array.isArray(sites)) {
      throw Failure.reject("CHARACTERISTIC_INVALID", `characteristic \`sites\` of \`${spec}\` is no list`);
    }
    return sites.map((site) => ({ spec: "CFS-ACCESS", characteristics: { site } }));
  },
});
