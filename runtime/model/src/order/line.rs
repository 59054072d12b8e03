//! Makes a line of an item of an order.

use tmf::document::order::{Item, Subject};

use super::{
    Form, ID_BYTES_MAX, Line, LineDates, OrderError, Reader, dates, inconsistent, malformed,
};
use crate::id::SpecId;
use crate::plan::Action;
use tmf::document::Characteristics;

impl Reader<'_> {
    /// The line of an item. Items of questions need no ids and actions.
    pub(super) fn line(
        &self,
        item: &Item<'_>,
        bundle: Option<usize>,
        position: usize,
    ) -> Result<Line, OrderError> {
        let id = id(item, position)?;
        let action = action(self.form, item)?;
        self.check_attributes(item, action)?;
        let subject = &item.subject;
        let place = subject.place.as_ref();
        Ok(Line {
            id,
            action,
            quantity: item.quantity.unwrap_or(1),
            is_counted: item.quantity.is_some(),
            offering: item.offering.map(SpecId::new),
            spec: subject.spec.map(SpecId::new),
            instance: subject.id.map(Into::into),
            state: subject.state.map(Into::into),
            characteristics: self.characteristics(subject)?,
            place: place.and_then(|place| place.id).map(Into::into),
            areas: place
                .into_iter()
                .flat_map(|place| &place.areas)
                .map(|&area| area.into())
                .collect(),
            agreed: self.agreed(item, action)?,
            bundle,
            lists: self.lists(item),
            path: item.path.clone(),
            relies_on: Vec::new(),
            dates: self.line_dates(subject, action)?,
        })
    }

    /// The lists of the instance that an item names.
    fn lists(&self, item: &Item<'_>) -> Vec<String> {
        let is_other = |name: &&str| *name != self.form.characteristics() && *name != "place";
        let named = item.written.subject.lists().filter(is_other);
        let terms = item.written.item.lists().filter(|name| *name == "itemTerm");
        named.chain(terms.map(|_| "productTerm")).map(Into::into).collect()
    }

    fn line_dates(&self, subject: &Subject<'_>, action: Action) -> Result<LineDates, OrderError> {
        dates::of_line(self.form, self.document.start, subject, action)
    }

    fn characteristics(&self, subject: &Subject<'_>) -> Result<Characteristics, OrderError> {
        let mut characteristics = Characteristics::new();
        for (position, (name, value)) in subject.characteristics.iter().enumerate() {
            if characteristics.insert(*name, (*value).clone()).is_some() {
                let name_of_list = self.form.characteristics();
                let path = format!("{}.{name_of_list}[{position}]", subject.path);
                let message = format!("the characteristic `{name}` occurs twice");
                return Err(inconsistent(&path, &message));
            }
        }
        Ok(characteristics)
    }
}

/// The id of an item; without one its position, from 1.
fn id(item: &Item<'_>, position: usize) -> Result<String, OrderError> {
    let id = match item.id {
        Some(id) if !id.is_empty() => id.to_owned(),
        Some(_) | None => (position + 1).to_string(),
    };
    if id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        let message = format!("has at most {ID_BYTES_MAX} bytes and no control characters");
        return Err(malformed(&format!("{}.id", item.path), &message));
    }
    Ok(id)
}

fn action(form: Form, item: &Item<'_>) -> Result<Action, OrderError> {
    let action = match item.action {
        None => return Ok(Action::Add),
        // TMF648 has a word of its own.
        Some("remove") if !form.names().is_order => return Ok(Action::Delete),
        Some(action) => action,
    };
    Action::parse(action).ok_or_else(|| {
        let words = "is one of `add`, `modify`, `delete`, `noChange`";
        malformed(&format!("{}.action", item.path), &format!("{words}, not `{action}`"))
    })
}
