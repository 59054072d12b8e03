//! Items that name something to order: of quotes, of qualifications, and of the orders made from them.
//! Each API has its own names for the same attributes; code works on them through [`Item`].

use super::{Characteristic, Reference, Rest};

crate::document! {
    /// A relation of an item to another one of the same document.
    #[derive(Eq)]
    pub struct ItemRelation {
        id?: String,
        relationship_type?: String,
    }
}

crate::document! {
    /// The product that an item is about.
    #[derive(Default)]
    pub struct WantedProduct {
        product_specification?: Reference,
        product_characteristic*: Characteristic,
        place*: Reference,
    }
}

crate::document! {
    /// The service that an item is about.
    #[derive(Default)]
    pub struct WantedService {
        name?: String,
        service_specification?: Reference,
        service_characteristic*: Characteristic,
        place*: Reference,
    }
}

/// The product or the service that an item is about.
pub trait Subject: Clone + Default {
    fn parts(&mut self) -> SubjectParts<'_>;
}

/// The attributes that all subjects have.
pub struct SubjectParts<'a> {
    pub specification: &'a mut Option<Reference>,
    pub characteristics: &'a mut Vec<Characteristic>,
    pub place: &'a mut Vec<Reference>,
}

impl Subject for WantedProduct {
    fn parts(&mut self) -> SubjectParts<'_> {
        SubjectParts {
            specification: &mut self.product_specification,
            characteristics: &mut self.product_characteristic,
            place: &mut self.place,
        }
    }
}

impl Subject for WantedService {
    fn parts(&mut self) -> SubjectParts<'_> {
        SubjectParts {
            specification: &mut self.service_specification,
            characteristics: &mut self.service_characteristic,
            place: &mut self.place,
        }
    }
}

/// An item with the attributes that all items have.
pub trait Item: Clone + Default {
    type Subject: Subject;

    fn id(&self) -> Option<&str>;

    fn subject(&self) -> Option<&Self::Subject>;

    /// The items that are nested in it.
    fn items(&self) -> &[Self];

    fn parts(&mut self) -> ItemParts<'_, Self>;
}

/// The attributes that all items have.
pub struct ItemParts<'a, I: Item> {
    pub id: &'a mut Option<String>,
    pub action: &'a mut Option<String>,
    pub quantity: &'a mut Option<u32>,
    pub offering: &'a mut Option<Reference>,
    pub subject: &'a mut Option<I::Subject>,
    pub relations: &'a mut Vec<ItemRelation>,
    pub items: &'a mut Vec<I>,
    pub rest: &'a mut Rest,
}

/// Declares an item: the names of its subject, its relations and its nested items, and the attributes
/// that it has beside the common ones.
macro_rules! item {
    (
        $(#[$meta:meta])*
        $name:ident($subject:ident: $kind:ident, $relations:ident, $items:ident) { $($more:tt)* }
    ) => {
        crate::document! {
            $(#[$meta])*
            #[derive(Default)]
            pub struct $name {
                id?: String,
                action?: String,
                quantity?: u32,
                product_offering?: crate::document::Reference,
                $subject?: crate::document::item::$kind,
                $relations*: crate::document::item::ItemRelation,
                $items*: $name,
                $($more)*
            }
        }

        impl crate::document::item::Item for $name {
            type Subject = crate::document::item::$kind;

            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn subject(&self) -> Option<&Self::Subject> {
                self.$subject.as_ref()
            }

            fn items(&self) -> &[Self] {
                &self.$items
            }

            fn parts(&mut self) -> crate::document::item::ItemParts<'_, Self> {
                crate::document::item::ItemParts {
                    id: &mut self.id,
                    action: &mut self.action,
                    quantity: &mut self.quantity,
                    offering: &mut self.product_offering,
                    subject: &mut self.$subject,
                    relations: &mut self.$relations,
                    items: &mut self.$items,
                    rest: &mut self.rest,
                }
            }
        }
    };
}

pub(super) use item;
