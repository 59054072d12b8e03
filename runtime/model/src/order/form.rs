//! The forms in which orders come, and the names of each standard for their parts.

use crate::plan::Level;
use tmf::document::order::Names;

/// The documents that have the items of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// TMF622.
    ProductOrder,
    /// TMF641.
    ServiceOrder,
    /// TMF652.
    ResourceOrder,
    /// TMF648.
    Quote,
    /// TMF679.
    OfferingQualification,
    /// TMF645.
    ServiceQualification,
}

/// The names of an API for the parts of an order, and the level of its items.
pub(super) struct Dialect {
    form: Form,
    pub(super) level: Level,
    pub(super) names: Names,
}

static DIALECTS: [Dialect; 6] = [
    Dialect {
        form: Form::ProductOrder,
        level: Level::Product,
        names: Names {
            items: "productOrderItem",
            subject: "product",
            spec: "productSpecification",
            characteristics: "productCharacteristic",
            state: Some("status"),
            relations: "productOrderItemRelationship",
            dates: ("startDate", "terminationDate"),
            is_order: true,
            needs_subject: false,
            has_item_spec: false,
        },
    },
    Dialect {
        form: Form::ServiceOrder,
        level: Level::CustomerService,
        names: Names {
            items: "serviceOrderItem",
            subject: "service",
            spec: "serviceSpecification",
            characteristics: "serviceCharacteristic",
            state: Some("state"),
            relations: "serviceOrderItemRelationship",
            dates: ("startDate", "endDate"),
            is_order: true,
            needs_subject: true,
            has_item_spec: false,
        },
    },
    Dialect {
        form: Form::ResourceOrder,
        level: Level::Resource,
        names: Names {
            items: "orderItem",
            subject: "resource",
            spec: "resourceSpecification",
            characteristics: "resourceCharacteristic",
            state: None,
            relations: "orderItemRelationship",
            dates: ("startOperatingDate", "endOperatingDate"),
            is_order: true,
            needs_subject: false,
            has_item_spec: true,
        },
    },
    Dialect {
        form: Form::Quote,
        level: Level::Product,
        names: Names {
            items: "quoteItem",
            subject: "product",
            spec: "productSpecification",
            characteristics: "productCharacteristic",
            state: Some("status"),
            relations: "quoteItemRelationship",
            dates: ("startDate", "terminationDate"),
            is_order: false,
            needs_subject: false,
            has_item_spec: false,
        },
    },
    Dialect {
        form: Form::OfferingQualification,
        level: Level::Product,
        names: Names {
            items: "productOfferingQualificationItem",
            subject: "product",
            spec: "productSpecification",
            characteristics: "productCharacteristic",
            state: Some("status"),
            relations: "qualificationItemRelationship",
            dates: ("startDate", "terminationDate"),
            is_order: false,
            needs_subject: false,
            has_item_spec: false,
        },
    },
    Dialect {
        form: Form::ServiceQualification,
        level: Level::CustomerService,
        names: Names {
            items: "serviceQualificationItem",
            subject: "service",
            spec: "serviceSpecification",
            characteristics: "serviceCharacteristic",
            state: Some("state"),
            relations: "qualificationItemRelationship",
            dates: ("startDate", "endDate"),
            is_order: false,
            needs_subject: false,
            has_item_spec: false,
        },
    },
];

impl Form {
    /// The orders of a level; [`Level::CustomerService`] stands for any service order.
    pub fn of(level: Level) -> Self {
        match level {
            Level::Product => Self::ProductOrder,
            Level::CustomerService | Level::ResourceService => Self::ServiceOrder,
            Level::Resource => Self::ResourceOrder,
        }
    }

    pub(super) fn dialect(self) -> &'static Dialect {
        let found = DIALECTS.iter().find(|dialect| dialect.form == self);
        found.expect("every form has a dialect")
    }

    /// The names of its standard for the parts of an order.
    pub fn names(self) -> &'static Names {
        &self.dialect().names
    }

    /// The attribute that holds the items.
    pub fn items(self) -> &'static str {
        self.names().items
    }

    /// The attribute of an item that it is about, such as `product`.
    pub fn subject(self) -> &'static str {
        self.names().subject
    }

    /// The attribute of the subject that holds its characteristics.
    pub fn characteristics(self) -> &'static str {
        self.names().characteristics
    }

    /// The attribute of the subject that names its specification.
    pub fn spec(self) -> &'static str {
        self.names().spec
    }

    /// The attribute of an item that holds its relations to others.
    pub fn relations(self) -> &'static str {
        self.names().relations
    }

    /// The attribute of the subject that is its state; `None` if it follows from the work.
    pub fn state(self) -> Option<&'static str> {
        self.names().state
    }
}
