//! Documents that are taken over from elsewhere.

use serde_json::Value;

use super::{Version, View};
use crate::check::{Invalid, value};
use crate::resource::{Resource, Served};
use crate::shape::TypeSet;
use crate::table::of_key;

impl Resource {
    /// Whether a document can be taken over from elsewhere, with the id that it has there. It may be one
    /// that only version 5 allows, in the words in which it is kept.
    pub fn check_taken_over(&self, body: &Value) -> Result<(), Invalid> {
        if let Err(wrong) = self.check_new(body)
            && !self.is_of_version_5(body)
        {
            return Err(wrong);
        }
        let own = self.dates.iter().copied().chain(self.stamp).chain(["id"]);
        for name in own {
            if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
                value::check_attribute(TypeSet::V4, self.shape, name, value)?;
            }
        }
        Ok(())
    }

    /// Whether a document could have come in by version 5, which demands its `@type`.
    fn is_of_version_5(&self, body: &Value) -> bool {
        let is_bounded = body.get("@type").is_some() && value::check_depth(body).is_ok();
        let later = of_key(self.key).filter(|(api, resource)| {
            is_bounded && api.v5.is_some() && resource.served != Served::V4
        });
        later.is_some_and(|(api, resource)| {
            let view = View { api, resource, version: Version::V5 };
            view.new_body(view.shown(body.clone())).is_ok()
        })
    }
}
