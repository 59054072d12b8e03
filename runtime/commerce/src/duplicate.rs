//! The keys by which duplicate parties are found. Each is computed from one party alone, and two
//! parties with the same key are likely one: an index by key replaces the comparison of all pairs.

use std::collections::BTreeSet;
use std::fmt;

use tmf::document::party::{Party, PartyIdentification};

/// Max keys of a party.
const KEYS_MAX: usize = 32;

/// Max characters of a value that count.
const VALUE_CHARS_MAX: usize = 100;

/// Min digits of a telephone number: a shorter one is a service number that many people have.
const DIGITS_MIN: usize = 6;

/// Something that two parties have in common when they are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What it is.
    pub reason: Reason,
    /// Its normalized value.
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
pub fn keys(party: &Party) -> BTreeSet<Key> {
    let own = party.individual_identification.iter().chain(&party.organization_identification);
    let identifications = own.filter_map(identification);
    let contacts = party.contact_medium.iter().filter_map(|medium| medium.characteristic.as_ref());
    let contacts = contacts.flat_map(|own| {
        let email = own.email_address.as_deref().and_then(email);
        let phone = own.phone_number.as_deref().and_then(phone);
        let email = email.map(|value| Key { reason: Reason::Email, value });
        email.into_iter().chain(phone.map(|value| Key { reason: Reason::Phone, value }))
    });
    let all = identifications.chain(contacts).chain(person(party)).chain(organization(party));
    let mut keys = BTreeSet::new();
    for key in all {
        if keys.len() < KEYS_MAX {
            keys.insert(key);
        }
    }
    keys
}

fn identification(own: &PartyIdentification) -> Option<Key> {
    let number = named(own.identification_id.as_deref())?;
    let kind = letters(own.identification_type.as_deref().unwrap_or_default());
    Some(Key { reason: Reason::Identification, value: format!("{kind}/{number}") })
}

fn person(party: &Party) -> Option<Key> {
    let names = [&party.given_name, &party.family_name];
    let name: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    let name = named(Some(&name.join(" ")))?;
    let born = party.birth_date.as_ref()?.day();
    Some(Key { reason: Reason::NameAndBirthDate, value: format!("{name}/{born}") })
}

/// The names of an organization: individuals have no `tradingName`.
fn organization(party: &Party) -> impl Iterator<Item = Key> {
    let trading = party.trading_name.as_deref();
    let name = party.name.as_deref().filter(|_| trading.is_some());
    let values = [named(trading), named(name)].into_iter().flatten();
    values.map(|value| Key { reason: Reason::OrganizationName, value })
}

/// The letters of a text, if it has any.
fn named(text: Option<&str>) -> Option<String> {
    Some(letters(text?)).filter(|letters| !letters.is_empty())
}

fn email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    email.contains('@').then(|| short(&email))
}

/// The lower-case letters and digits of a text, without accents.
fn letters(text: &str) -> String {
    let plain = text.chars().flat_map(char::to_lowercase).flat_map(plain);
    short(&plain.filter(|c| c.is_alphanumeric()).collect::<String>())
}

/// A letter of a European language without its accent, as it is typed on a keyboard that lacks it.
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

/// The digits of a telephone number, with `+` for `00` at the beginning.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < DIGITS_MIN {
        return None;
    }
    let is_abroad = text.trim_start().starts_with('+');
    Some(match digits.strip_prefix("00").filter(|_| !is_abroad) {
        Some(rest) => short(&format!("+{rest}")),
        None if is_abroad => short(&format!("+{digits}")),
        None => short(&digits),
    })
}

fn short(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
