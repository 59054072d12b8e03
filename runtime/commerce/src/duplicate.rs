//! What makes two parties likely to be one: keys that are the same for both, computed from one party
//! alone. Whoever keeps parties by their keys finds duplicates without holding each against all.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// A party has so many keys at the most.
const KEYS_MAX: usize = 32;

/// A value counts by its first characters, so many of them.
const VALUE_CHARS_MAX: usize = 100;

/// A number with fewer digits is no telephone number that tells people apart.
const DIGITS_MIN: usize = 6;

/// Something that two parties have in common when they are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What it is.
    pub reason: Reason,
    /// Its value, written in one way.
    pub value: String,
}

/// Why two parties may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The same identity card, passport or registration number.
    Identification,
    /// The same e-mail address.
    Email,
    /// The same name, born on the same day.
    NameAndBirthDate,
    /// Two organizations of the same name.
    OrganizationName,
    /// The same telephone number.
    Phone,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Identification,
        Self::Email,
        Self::NameAndBirthDate,
        Self::OrganizationName,
        Self::Phone,
    ];

    /// How answers spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identification => "identification",
            Self::Email => "emailAddress",
            Self::NameAndBirthDate => "nameAndBirthDate",
            Self::OrganizationName => "organizationName",
            Self::Phone => "phoneNumber",
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.reason.as_str(), self.value)
    }
}

impl Key {
    /// Reads what was written of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (reason, value) = text.split_once(':')?;
        let reason = Reason::ALL.into_iter().find(|one| one.as_str() == reason)?;
        Some(Self { reason, value: value.into() })
    }
}

/// The keys of an individual or an organization (TMF632).
pub fn keys(party: &Value) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let mut add = |reason, value: String| {
        if !value.is_empty() && keys.len() < KEYS_MAX {
            keys.insert(Key { reason, value });
        }
    };
    for name in ["individualIdentification", "organizationIdentification"] {
        for one in array(party, name) {
            let number = letters(text(one, "identificationId"));
            if !number.is_empty() {
                let kind = letters(text(one, "identificationType"));
                add(Reason::Identification, format!("{kind}/{number}"));
            }
        }
    }
    for medium in array(party, "contactMedium") {
        let Some(own) = medium.get("characteristic") else { continue };
        let email = text(own, "emailAddress").trim().to_lowercase();
        if email.contains('@') {
            add(Reason::Email, short(&email));
        }
        add(Reason::Phone, phone(text(own, "phoneNumber")));
    }
    let name = format!("{} {}", text(party, "givenName"), text(party, "familyName"));
    let (name, born) = (letters(&name), text(party, "birthDate").get(..10).unwrap_or_default());
    if !name.is_empty() && !born.is_empty() {
        add(Reason::NameAndBirthDate, format!("{name}/{born}"));
    }
    for name in ["tradingName", "name"] {
        if party.get("tradingName").is_some() {
            add(Reason::OrganizationName, letters(text(party, name)));
        }
    }
    keys
}

/// A name as everybody writes it: small letters and digits, accents taken off.
fn letters(text: &str) -> String {
    let plain = text.chars().flat_map(char::to_lowercase).flat_map(plain);
    short(&plain.filter(|c| c.is_alphanumeric()).collect::<String>())
}

/// A letter of the languages of Europe without its accent, as people write it who cannot type it.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let text = match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' => "o",
        'ö' | 'ø' | 'œ' | 'ő' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' => "u",
        'ü' | 'ű' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    };
    let own = text.is_empty().then_some(letter);
    text.chars().chain(own)
}

/// The digits of a telephone number; `00` at the beginning is what `+` is.
fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < DIGITS_MIN {
        return String::new();
    }
    let is_abroad = text.trim_start().starts_with('+');
    match digits.strip_prefix("00").filter(|_| !is_abroad) {
        Some(rest) => short(&format!("+{rest}")),
        None if is_abroad => short(&format!("+{digits}")),
        None => short(&digits),
    }
}

fn short(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
