"""Makes one access for each site of an item."""

from ferrule_plugin import Decomposer, Failure, exports


class Adapter(Decomposer):
    def decompose(self, item):
        sites = item.characteristics.get("sites", [])
        if not isinstance(sites, list):
            message = f"characteristic `sites` of `{item.spec}` is no list"
            raise Failure.reject("CHARACTERISTIC_INVALID", message)
        return [("CFS-ACCESS", {"site": site}) for site in sites]


Decomposition = exports(Adapter)
