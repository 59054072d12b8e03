//! Secrets to plant, and where to look for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

/// A secret, with characters that every place escapes otherwise, around a core that none escapes.
#[derive(Clone, Debug)]
pub(super) struct Planted {
    pub(super) name: String,
    pub(super) value: String,
    core: String,
    kind: usize,
}

pub(super) fn planted(count: usize) -> Vec<Planted> {
    (0..count).map(|n| Planted::new(n, "planted")).collect()
}

impl Planted {
    pub(super) fn new(n: usize, salt: &str) -> Self {
        let digest = crc(&format!("{salt}-{n}"));
        let core = format!("Zq{digest:08x}Xw{:08x}Vk", crc(&format!("{n}-{salt}")));
        Self { name: format!("s{n}"), value: format!("é\"<&/+{core}=?%'"), core, kind: n % 6 }
    }

    /// Its lines under `[secrets.<name>]`.
    pub(super) fn source(&self, folder: &Path, vault: &str) -> String {
        let name = &self.name;
        let path = |file: &str| folder.join(file).to_str().unwrap().to_owned();
        let from = match self.kind {
            0 => format!("file = {:?}", path(name)),
            // A variable of the process never changes.
            1 => return format!("env = \"FERRULE_TEST_{name}\""),
            2 => format!("env = \"{name}\"\nenv-file = {:?}", path("env")),
            3 => format!("command = [\"cat\", {:?}]", path(name)),
            4 => format!("credential = {name:?}"),
            _ => format!(
                "vault = {{ url = \"http://{vault}\", path = \"secret/data/{name}\", field = \
                 \"password\", token-file = {:?} }}",
                path("token")
            ),
        };
        format!("{from}\nrenew-s = 1")
    }

    /// The answer of Vault.
    pub(super) fn in_vault(&self) -> String {
        let data = json!({ "data": { "password": self.value }, "metadata": { "version": 1 } });
        json!({ "lease_id": "", "lease_duration": 0, "data": data }).to_string()
    }

    /// A part of the request that has it in a place.
    pub(super) fn as_sent(&self, place: &str) -> String {
        let value = &self.value;
        match place {
            "bearer" => format!("Bearer {value}"),
            "basic" => format!("Basic {}", base64(format!("admin:{value}").as_bytes())),
            "json" => json!({ "password": value }).to_string(),
            "form" => format!("password=%C3%A9%22%3C%26%2F%2B{}%3D%3F%25%27", self.core),
            "xml" => format!("<password>é&quot;&lt;&amp;/+{}=?%&apos;</password>", self.core),
            _ => format!("\r\n\r\n{value}"),
        }
    }

    /// In which form it is in a text.
    pub(super) fn found_in(&self, text: &str) -> Option<String> {
        let core = self.core.as_bytes();
        let hex = hex::encode(core);
        let mut forms = vec![self.core.clone(), hex.to_uppercase(), hex];
        forms.extend(shifted(core));
        // And once more, as of a header in a text.
        let again: Vec<_> = forms[3..].iter().flat_map(|form| shifted(form.as_bytes())).collect();
        forms.extend(again);
        forms.into_iter().find(|form| text.contains(form.as_str()))
    }
}

/// The base64 of bytes at each offset, without the characters that hold bits of neighbours.
fn shifted(bytes: &[u8]) -> Vec<String> {
    let shifted = |before: usize| {
        let padded: Vec<u8> = [vec![0; before], bytes.to_vec()].concat();
        base64(&padded)[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_owned()
    };
    (0..3).map(shifted).collect()
}

/// Writes what the sources are read from, and returns the variables.
pub(super) fn plant(secrets: &[Planted], folder: &Path) -> BTreeMap<String, String> {
    let mut lines = String::new();
    let mut variables = BTreeMap::new();
    for Planted { name, value, .. } in secrets {
        std::fs::write(folder.join(name), format!("{value}\n")).unwrap();
        writeln!(lines, "{name}={value}").unwrap();
        variables.insert(format!("FERRULE_TEST_{name}"), value.clone());
    }
    std::fs::write(folder.join("env"), lines).unwrap();
    std::fs::write(folder.join("token"), "hvs.planted\n").unwrap();
    variables.insert("CREDENTIALS_DIRECTORY".into(), folder.to_str().unwrap().into());
    variables.insert("FERRULE_LOG".into(), "trace".into());
    variables
}

/// A number that differs from text to text.
fn crc(text: &str) -> u32 {
    text.bytes()
        .fold(2_166_136_261, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().fold(0_usize, |whole, &byte| whole << 8 | usize::from(byte));
        let whole = whole << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[whole >> (18 - 6 * place) & 63]));
        }
        text.push_str(&"=".repeat(3 - chunk.len()));
    }
    text
}

#[test]
fn a_secret_is_found_in_each_form() {
    let secret = Planted::new(7, "planted");
    assert_eq!(secret.found_in("nothing of it"), None);
    assert_eq!(Planted::new(8, "planted").found_in(&secret.value), None);
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{}", secret.value);
        assert!(secret.found_in(&text).is_some());
        assert!(secret.found_in(&base64(text.as_bytes())).is_some(), "{before}");
    }
}
