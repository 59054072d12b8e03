//! What rules and steps can read of an item.

use serde_json::{Value, json};

use super::{Action, Item};

impl Item {
    /// What rules and steps can read of an item.
    pub fn view(&self) -> Value {
        self.view_under(self.action)
    }

    /// The same, as if another action was wanted of it.
    pub(crate) fn view_under(&self, action: Action) -> Value {
        json!({
            "name": self.name,
            "spec": self.spec,
            "title": self.title,
            "action": action.as_str(),
            // Prior work is found under the name that the item had then.
            "line": self.origin.as_ref().map_or(&self.line, |origin| &origin.line),
            "quantity": self.quantity,
            "char": self.characteristics,
        })
    }

    /// What rules and steps can read of a product.
    pub fn product_view(&self) -> Value {
        let mut view = self.view();
        if let Some(fields) = view.as_object_mut() {
            fields.insert("place".into(), json!(self.place));
            fields.insert("offering".into(), json!(self.offering));
            fields.insert("prices".into(), json!(self.prices));
        }
        view
    }
}
