//! Questions about items, and the orders that they are about.

use serde::Serialize;
use tmf::document::item::Item;
use tmf::document::order_request::{ProductOrderRequest, ServiceOrderRequest, carried};
use tmf::document::qualification::{
    CheckServiceQualification, OfferingQualification, OfferingQualificationItem,
    ServiceQualificationItem,
};
use tmf::document::{Reference, Rest, write};

use crate::cpq::configure::Choice;
use model::order::{Form, Order, OrderError};

/// The product or the service that the items of a question are about.
pub(super) type Subject<Q> = <<Q as Question>::Item as Item>::Subject;

type ItemOf<D> = <D as Choice>::Item;

/// A question whether something can be ordered.
pub(super) trait Question: Serialize + Sized {
    const FORM: Form;
    type Item: Item;
    type Order: Choice<Item: Item<Subject = Subject<Self>>> + Clone;

    fn items(&self) -> &[Self::Item];

    /// The place of all items that have none.
    fn place(&self) -> &[Reference];

    fn wants_alternatives(&self) -> bool;

    /// The order that it is about, with these items.
    fn about(&self, items: Vec<ItemOf<Self::Order>>) -> Self::Order;

    /// The items as lines.
    fn order(&self) -> Result<Order, OrderError> {
        Order::read(Self::FORM, &write(self))
    }
}

/// The parties of a search, for the questions that answer it.
pub(super) fn parties_of(search: &Rest) -> Rest {
    let parties = search.get_key_value("relatedParty").into_iter();
    parties.map(|(name, parties)| (name.into(), parties.clone())).collect()
}

impl Question for OfferingQualification {
    const FORM: Form = Form::OfferingQualification;
    type Item = OfferingQualificationItem;
    type Order = ProductOrderRequest;

    fn items(&self) -> &[OfferingQualificationItem] {
        self.product_offering_qualification_item.as_deref().unwrap_or_default()
    }

    fn place(&self) -> &[Reference] {
        &self.place
    }

    fn wants_alternatives(&self) -> bool {
        self.provide_alternative == Some(true)
    }

    fn about(&self, items: Vec<ItemOf<ProductOrderRequest>>) -> ProductOrderRequest {
        let mut rest = carried(&self.rest);
        rest.extend(self.category.iter().map(|category| ("category".into(), write(category))));
        ProductOrderRequest {
            product_order_item: items,
            kind: Some("ProductOrder".into()),
            rest,
            ..ProductOrderRequest::default()
        }
    }
}

impl Question for CheckServiceQualification {
    const FORM: Form = Form::ServiceQualification;
    type Item = ServiceQualificationItem;
    type Order = ServiceOrderRequest;

    fn items(&self) -> &[ServiceQualificationItem] {
        &self.service_qualification_item
    }

    fn place(&self) -> &[Reference] {
        &self.place
    }

    fn wants_alternatives(&self) -> bool {
        self.provide_alternative == Some(true)
    }

    fn about(&self, items: Vec<ItemOf<ServiceOrderRequest>>) -> ServiceOrderRequest {
        ServiceOrderRequest {
            service_order_item: items,
            kind: Some("ServiceOrder".into()),
            rest: carried(&self.rest),
        }
    }
}
