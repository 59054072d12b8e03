//! The forms in which orders come, and what each standard calls their parts.

use crate::plan::Level;

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

/// What one of the standards calls the parts of an order.
pub(super) struct Dialect {
    pub(super) form: Form,
    pub(super) level: Level,
    pub(super) items: &'static str,
    pub(super) subject: &'static str,
    pub(super) spec: &'static str,
    pub(super) characteristics: &'static str,
    pub(super) state: Option<&'static str>,
    pub(super) relations: &'static str,
}

const DIALECTS: [Dialect; 6] = [
    Dialect {
        form: Form::ProductOrder,
        level: Level::Product,
        items: "productOrderItem",
        subject: "product",
        spec: "productSpecification",
        characteristics: "productCharacteristic",
        state: Some("status"),
        relations: "productOrderItemRelationship",
    },
    Dialect {
        form: Form::ServiceOrder,
        level: Level::CustomerService,
        items: "serviceOrderItem",
        subject: "service",
        spec: "serviceSpecification",
        characteristics: "serviceCharacteristic",
        state: Some("state"),
        relations: "serviceOrderItemRelationship",
    },
    Dialect {
        form: Form::ResourceOrder,
        level: Level::Resource,
        items: "orderItem",
        subject: "resource",
        spec: "resourceSpecification",
        characteristics: "resourceCharacteristic",
        state: None,
        relations: "orderItemRelationship",
    },
    Dialect {
        form: Form::Quote,
        level: Level::Product,
        items: "quoteItem",
        subject: "product",
        spec: "productSpecification",
        characteristics: "productCharacteristic",
        state: Some("status"),
        relations: "quoteItemRelationship",
    },
    Dialect {
        form: Form::OfferingQualification,
        level: Level::Product,
        items: "productOfferingQualificationItem",
        subject: "product",
        spec: "productSpecification",
        characteristics: "productCharacteristic",
        state: Some("status"),
        relations: "qualificationItemRelationship",
    },
    Dialect {
        form: Form::ServiceQualification,
        level: Level::CustomerService,
        items: "serviceQualificationItem",
        subject: "service",
        spec: "serviceSpecification",
        characteristics: "serviceCharacteristic",
        state: Some("state"),
        relations: "qualificationItemRelationship",
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

    /// The attribute that holds the items.
    pub fn items(self) -> &'static str {
        self.dialect().items
    }

    /// The attribute of an item that it is about, such as `product`.
    pub fn subject(self) -> &'static str {
        self.dialect().subject
    }

    /// The attribute of the subject that holds its characteristics.
    pub fn characteristics(self) -> &'static str {
        self.dialect().characteristics
    }

    /// The attribute of the subject that names its specification.
    pub fn spec(self) -> &'static str {
        self.dialect().spec
    }

    /// The attribute of an item that holds its relations to others.
    pub fn relations(self) -> &'static str {
        self.dialect().relations
    }

    /// The attribute of the subject that is its state; `None` if it follows from the work.
    pub fn state(self) -> Option<&'static str> {
        self.dialect().state
    }

    /// Whether it is an order, and not a question about one: items of an order have ids and actions.
    pub(super) fn is_order(self) -> bool {
        match self {
            Self::ProductOrder | Self::ServiceOrder | Self::ResourceOrder => true,
            Self::Quote | Self::OfferingQualification | Self::ServiceQualification => false,
        }
    }
}
