//! TMF620, 633, 634: specifications of products, services and resources, with their characteristics.
//! The three differ in the names of attributes alone.

use serde_json::Value;

use super::{Reference, TimePeriod};

crate::document! {
    /// A specification of a product, a service or a resource.
    pub struct Specification {
        id?: String,
        name?: String,
        lifecycle_status?: String,
        valid_for?: TimePeriod,
        #[serde(rename = "@type")]
        kind?: String,
        product_spec_characteristic*: CharacteristicSpecification,
        spec_characteristic*: CharacteristicSpecification,
        resource_spec_characteristic*: CharacteristicSpecification,
        product_specification_relationship*: Relationship,
        service_spec_relationship*: Relationship,
        service_specification*: Reference,
        resource_specification*: Reference,
    }
}

crate::document! {
    /// A relationship to another entity of the same kind.
    pub struct Relationship {
        id?: String,
        relationship_type?: String,
    }
}

crate::document! {
    /// A characteristic that instances of a specification have.
    pub struct CharacteristicSpecification {
        name?: String,
        value_type?: String,
        min_cardinality?: u64,
        max_cardinality?: u64,
        regex?: String,
        product_spec_characteristic_value*: AllowedValue,
        characteristic_value_specification*: AllowedValue,
        resource_spec_characteristic_value*: AllowedValue,
    }
}

crate::document! {
    /// A value, a range or a pattern that a characteristic may have.
    pub struct AllowedValue {
        is_default?: bool,
        /// Any JSON: the specification declares its type.
        value?: Value,
        /// A number; the standard allows a text.
        value_from?: Value,
        value_to?: Value,
        range_interval?: String,
        regex?: String,
    }
}

impl Specification {
    /// The names of the attributes with the characteristics, and with the values of each, by resource.
    pub const CHARACTERISTICS: [(&'static str, &'static str, &'static str); 3] = [
        ("productSpecification", "productSpecCharacteristic", "productSpecCharacteristicValue"),
        ("serviceSpecification", "specCharacteristic", "characteristicValueSpecification"),
        ("resourceSpecification", "resourceSpecCharacteristic", "resourceSpecCharacteristicValue"),
    ];

    /// The characteristics of a specification that is of this resource.
    pub fn characteristics(&self, resource: &str) -> &[CharacteristicSpecification] {
        match resource {
            "productSpecification" => &self.product_spec_characteristic,
            "resourceSpecification" => &self.resource_spec_characteristic,
            _ => &self.spec_characteristic,
        }
    }
}

impl CharacteristicSpecification {
    /// Its values, in a specification that is of this resource.
    pub fn values(&self, resource: &str) -> &[AllowedValue] {
        match resource {
            "productSpecification" => &self.product_spec_characteristic_value,
            "resourceSpecification" => &self.resource_spec_characteristic_value,
            _ => &self.characteristic_value_specification,
        }
    }
}

impl AllowedValue {
    /// The ends of the range that it is, as far as they are numbers.
    pub fn range(&self) -> (Option<f64>, Option<f64>) {
        let number = |end: &Option<Value>| end.as_ref().and_then(Value::as_f64);
        (number(&self.value_from), number(&self.value_to))
    }
}
