//! The elements of the simulated network and the dialect that each speaks.

use serde_json::{Map, Value};

/// The shape of an element's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    Restconf,
    Rest,
    JsonRpc,
}

impl Dialect {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Restconf => "restconf",
            Self::Rest => "rest",
            Self::JsonRpc => "json-rpc",
        }
    }

    /// What a call in this dialect looks like, for messages.
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::Restconf => "PUT|POST|GET|DELETE /{element}/restconf/data/{collection}={id}",
            Self::Rest => {
                "POST /{element}/api/{collection} or PUT|GET|DELETE /{element}/api/{collection}/{id}"
            }
            Self::JsonRpc => "POST /{element}/rpc",
        }
    }
}

/// A system of the simulated network.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) dialect: Dialect,
    /// The field it adds to its answers, and how the value of that begins.
    mark: (&'static str, &'static str),
}

const fn element(
    name: &'static str,
    dialect: Dialect,
    mark: (&'static str, &'static str),
) -> Element {
    Element { name, dialect, mark }
}

pub(super) static ELEMENTS: [Element; 16] = [
    element("acs", Dialect::JsonRpc, ("deviceId", "CPE-")),
    element("bng-1", Dialect::Restconf, ("sessionId", "BNG-")),
    element("cloud-wifi", Dialect::Rest, ("networkId", "WIFI-")),
    element("cmts-1", Dialect::Restconf, ("modemId", "CM-")),
    element("hlr", Dialect::JsonRpc, ("profileId", "HLR-")),
    // With ten digits behind it a whole IMSI of the test network 001-01.
    element("hss", Dialect::JsonRpc, ("imsi", "00101")),
    element("ims", Dialect::JsonRpc, ("registrationId", "IMS-")),
    element("ipam", Dialect::Rest, ("leaseId", "LEASE-")),
    element("iptv", Dialect::Rest, ("accountId", "TV-")),
    element("mnp", Dialect::Rest, ("portRequestId", "PORT-")),
    element("numbers", Dialect::Rest, ("reservationId", "NUM-")),
    element("olt-1", Dialect::Restconf, ("onuId", "ONU-")),
    element("ota", Dialect::Rest, ("campaignId", "OTA-")),
    element("pcrf", Dialect::JsonRpc, ("policyId", "PCRF-")),
    element("voicemail", Dialect::Rest, ("mailboxId", "VM-")),
    element("warehouse", Dialect::Rest, ("trackingNumber", "TRK")),
];

/// The element of that name.
pub(super) fn find(name: &str) -> Option<&'static Element> {
    ELEMENTS.iter().find(|element| element.name == name)
}

/// Every element's name, for messages.
pub(super) fn names() -> String {
    let names: Vec<_> = ELEMENTS.iter().map(|element| element.name).collect();
    names.join(", ")
}

const IMSI_BYTES_MAX: usize = 15;

/// An id of an element, and the collection it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) element: &'static Element,
    pub(super) collection: String,
    pub(super) id: String,
}

impl Place {
    /// Adds the attributes that the element derives from the id: the same for every key, so that a
    /// replaced port keeps its ONU and a moved subscriber his IMSI.
    pub(super) fn mark(&self, answer: &mut Map<String, Value>, config: &str) {
        let (field, start) = self.element.mark;
        let value = match self.element.given(field, config) {
            Some(given) => given,
            None => format!("{start}{:010}", self.number()),
        };
        answer.insert(field.to_owned(), value.into());
    }

    /// Ten digits, by FNV-1a over all that names the place.
    fn number(&self) -> u64 {
        let parts = [self.element.name, self.collection.as_str(), self.id.as_str()];
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in parts.join("\n").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash % 10_000_000_000
    }
}

impl Element {
    /// A field that the request sets. Only the HSS accepts one: the IMSI.
    fn given(&self, field: &str, config: &str) -> Option<String> {
        if self.name != "hss" {
            return None;
        }
        let config: Value = serde_json::from_str(config).ok()?;
        let given = config.get(field)?.as_str()?;
        (given.len() <= IMSI_BYTES_MAX).then(|| given.to_owned())
    }
}
