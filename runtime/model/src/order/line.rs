//! Reads one item of an order.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    ID_BYTES_MAX, Line, OrderError, Reader, inconsistent, malformed, mandatory_text, optional_text,
    reference,
};
use crate::id::SpecId;
use crate::plan::{Action, Level};

impl Reader<'_> {
    /// Reads an item; what asks about an order need not name items and actions.
    pub(super) fn line(
        &self,
        item: &Value,
        path: &str,
        bundle: Option<usize>,
        position: usize,
    ) -> Result<Line, OrderError> {
        let Some(body) = item.as_object() else {
            return Err(malformed(path, "an item is a JSON object"));
        };
        let at = |name: &str| format!("{path}.{name}");
        let id = self.id(body, path, position)?;
        let action = self.action(body, path)?;
        let quantity = quantity(body, path)?;
        let offering = reference(body, "productOffering", path)?;
        let empty = Map::new();
        let subject_path = at(self.dialect.subject);
        let subject = match body.get(self.dialect.subject) {
            Some(Value::Object(subject)) => subject,
            // What asks about an order may leave open what it is about: it is answered so.
            None | Some(Value::Null)
                if self.dialect.level != Level::CustomerService
                    || !self.dialect.form.is_order() =>
            {
                &empty
            }
            None | Some(Value::Null) => return Err(malformed(&subject_path, "is mandatory")),
            Some(_) => return Err(malformed(&subject_path, "is a JSON object")),
        };
        let spec = match reference(subject, self.dialect.spec, &subject_path)? {
            // 652 has it next to the resource too.
            None if self.dialect.level == Level::Resource => {
                reference(body, self.dialect.spec, path)?
            }
            spec => spec,
        };
        self.check_attributes(body, subject, (path, &subject_path), action)?;
        let offering = match offering {
            Some(offering) => Some(offering),
            // 637 has it with the product too.
            None => reference(subject, "productOffering", &subject_path)?,
        };
        let place = place(subject, &subject_path)?;
        Ok(Line {
            id,
            action,
            quantity,
            is_counted: body.get("quantity").is_some_and(|count| !count.is_null()),
            offering: offering.map(SpecId::new),
            spec: spec.map(SpecId::new),
            instance: optional_text(subject, "id", &subject_path)?,
            state: match self.dialect.state {
                Some(name) => optional_text(subject, name, &subject_path)?,
                None => None,
            },
            characteristics: self.characteristics(subject, &subject_path)?,
            place: place.and_then(place_id),
            areas: place.map(areas).unwrap_or_default(),
            agreed: self.agreed(body, path, action)?,
            bundle,
            lists: self.lists(body, subject),
            path: path.into(),
            relies_on: Vec::new(),
            dates: self.line_dates(subject, &subject_path, action)?,
        })
    }

    /// The lists of the instance that an item names.
    fn lists(&self, item: &Map<String, Value>, subject: &Map<String, Value>) -> Vec<String> {
        let is_list = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty());
        let named = subject.iter().filter(|(name, value)| {
            *name != self.dialect.characteristics && name.as_str() != "place" && is_list(value)
        });
        let terms = item.get("itemTerm").filter(|terms| is_list(terms));
        named.map(|(name, _)| name.clone()).chain(terms.map(|_| "productTerm".into())).collect()
    }

    fn id(
        &self,
        body: &Map<String, Value>,
        path: &str,
        position: usize,
    ) -> Result<String, OrderError> {
        let id = if self.dialect.form.is_order() {
            mandatory_text(body, "id", path)?
        } else {
            let id = optional_text(body, "id", path)?.filter(|id| !id.is_empty());
            id.unwrap_or_else(|| (position + 1).to_string())
        };
        if id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
            let message = format!("has at most {ID_BYTES_MAX} bytes and no control characters");
            return Err(malformed(&format!("{path}.id"), &message));
        }
        Ok(id)
    }

    fn action(&self, body: &Map<String, Value>, path: &str) -> Result<Action, OrderError> {
        let action = if self.dialect.form.is_order() {
            mandatory_text(body, "action", path)?
        } else {
            let action = optional_text(body, "action", path)?;
            match action.as_deref() {
                None => Action::Add.as_str().into(),
                // TMF648 has a word of its own.
                Some("remove") => Action::Delete.as_str().into(),
                Some(other) => other.into(),
            }
        };
        Action::parse(&action).ok_or_else(|| {
            let words = "is one of `add`, `modify`, `delete`, `noChange`";
            malformed(&format!("{path}.action"), &format!("{words}, not `{action}`"))
        })
    }

    fn characteristics(
        &self,
        subject: &Map<String, Value>,
        path: &str,
    ) -> Result<Map<String, Value>, OrderError> {
        let path = format!("{path}.{}", self.dialect.characteristics);
        let entries = match subject.get(self.dialect.characteristics) {
            None | Some(Value::Null) => return Ok(Map::new()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(&path, "is an array")),
        };
        let mut characteristics = Map::new();
        for (position, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{position}]");
            let Some(body) = entry.as_object() else {
                return Err(malformed(&path, "a characteristic is a JSON object"));
            };
            let name = mandatory_text(body, "name", &path)?;
            let value = body.get("value").cloned();
            let value = value.ok_or_else(|| malformed(&format!("{path}.value"), "is mandatory"))?;
            if characteristics.insert(name.clone(), value).is_some() {
                let message = format!("the characteristic `{name}` occurs twice");
                return Err(inconsistent(&path, &message));
            }
        }
        Ok(characteristics)
    }
}

fn quantity(body: &Map<String, Value>, path: &str) -> Result<u32, OrderError> {
    match body.get("quantity") {
        None | Some(Value::Null) => Ok(1),
        Some(value) => value
            .as_u64()
            .and_then(|quantity| u32::try_from(quantity).ok())
            .filter(|quantity| *quantity > 0)
            .ok_or_else(|| malformed(&format!("{path}.quantity"), "is a whole number from 1")),
    }
}

fn place<'a>(subject: &'a Map<String, Value>, path: &str) -> Result<Option<&'a Value>, OrderError> {
    match subject.get("place") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(places)) => Ok(places.first()),
        // A resource has one place.
        Some(place @ Value::Object(_)) => Ok(Some(place)),
        Some(_) => Err(malformed(&format!("{path}.place"), "is an array")),
    }
}

fn place_id(place: &Value) -> Option<String> {
    place.get("id")?.as_str().map(Into::into)
}

/// What a place says of where it is: its own names and those of what it lies in.
fn areas(place: &Value) -> BTreeSet<String> {
    const SAYS: [&str; 7] =
        ["id", "name", "postcode", "city", "locality", "stateOrProvince", "country"];
    let texts = SAYS.iter().filter_map(|name| place.get(*name)?.as_str());
    texts.filter(|text| !text.is_empty()).map(Into::into).collect()
}
