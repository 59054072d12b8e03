//! TMF637: products, their prices, and when a product is charged.

use super::ordered::OrderLink;
use super::tariff::Tariff;
use super::{Amount, Characteristic, DateTime, Deferred, Number, Reference, Rest};
use crate::malformed::Malformed;
use crate::table::ProductStatus;

crate::document! {
    /// A product that a customer has.
    pub struct Product {
        id: String,
        href?: String,
        name?: String,
        description?: String,
        status?: ProductStatus,
        is_bundle?: bool,
        start_date?: DateTime,
        termination_date?: DateTime,
        product_serial_number?: String,
        billing_account?: Reference,
        product_offering?: Reference,
        product_specification?: Reference,
        /// A malformed price concerns billing only.
        product_price*: Deferred<ProductPrice>,
        product_characteristic*: Characteristic,
        product_relationship*: ProductRelationship,
        realizing_service*: Reference,
        realizing_resource*: Reference,
        related_party*: Reference,
        place*: Reference,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

impl Product {
    /// The id of the account that pays for it.
    pub fn account(&self) -> Option<&str> {
        self.billing_account.as_ref()?.id.as_deref()
    }

    /// Its prices, each with its path. The error is that of the first malformed one.
    pub fn prices(&self) -> Result<Vec<(String, &ProductPrice)>, Malformed> {
        let prices = self.product_price.iter().enumerate().map(|(index, price)| {
            let path = format!("productPrice[{index}]");
            let price = price.get(&path)?;
            Ok((path, price))
        });
        prices.collect()
    }
}

crate::document! {
    /// Attributes of a product that an order writes. The others stay as they are.
    #[derive(Default)]
    pub struct ProductChange {
        id?: String,
        href?: String,
        name?: String,
        status?: ProductStatus,
        is_bundle?: bool,
        is_customer_visible?: bool,
        order_date?: DateTime,
        start_date?: DateTime,
        termination_date?: DateTime,
        product_offering?: Reference,
        product_specification?: Reference,
        product_characteristic?: Vec<Characteristic>,
        product_price?: Vec<ProductPrice>,
        product_order_item?: Vec<OrderLink>,
        product_relationship?: Vec<ProductRelationship>,
        realizing_service?: Vec<Reference>,
        place?: Vec<Reference>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A relationship of a product to another one.
    pub struct ProductRelationship {
        relationship_type?: String,
        product?: Reference,
    }
}

impl ProductRelationship {
    /// The type of the relation of a bundle to a product in it.
    const BUNDLES: &str = "bundles";

    /// The relation of a bundle to a product in it.
    pub fn bundling(product: &str) -> Self {
        let product = Some(Reference::to("product", product));
        Self { relationship_type: Some(Self::BUNDLES.into()), product, rest: Rest::new() }
    }

    /// The id of the product that a bundle has in it by this relation.
    pub fn bundled(&self) -> Option<&str> {
        let is_part = self.relationship_type.as_deref() == Some(Self::BUNDLES);
        let nested = self.product.as_ref().and_then(|product| product.id.as_deref());
        nested.or_else(|| self.rest.get("id")?.as_str()).filter(|_| is_part)
    }
}

impl ProductStatus {
    /// Whether recurring charges run, after a time in which they did or did not. A product with an
    /// ordered end stays as it was: one that was suspended then is not charged again.
    pub fn is_charged_after(self, before: bool) -> bool {
        match self {
            Self::Active => true,
            Self::PendingTerminate => before,
            Self::Created
            | Self::PendingActive
            | Self::Suspended
            | Self::Terminated
            | Self::Aborted
            | Self::AbortedSpaced
            | Self::Cancelled => false,
        }
    }

    /// Whether no other status follows it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Terminated | Self::Aborted | Self::AbortedSpaced | Self::Cancelled => true,
            Self::Created
            | Self::PendingActive
            | Self::Active
            | Self::Suspended
            | Self::PendingTerminate => false,
        }
    }
}

crate::document! {
    /// A price of a product.
    #[derive(Default)]
    pub struct ProductPrice {
        name?: String,
        price_type?: String,
        recurring_charge_period?: String,
        /// Version 5 splits the period into a type and a length.
        recurring_charge_period_type?: String,
        recurring_charge_period_length?: u32,
        price?: Price,
        product_offering_price?: Reference,
        /// The account that pays it, if not that of the product. TM Forum knows one for all prices.
        billing_account?: Reference,
        /// Its taxes if there are several, which TM Forum has no attribute for.
        tax*: PriceTax,
        product_price_alteration*: PriceAlteration,
        /// What usage costs, which TM Forum has no attribute for.
        tariff?: Deferred<Tariff>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A change of a price.
    #[derive(Default)]
    pub struct PriceAlteration {
        name?: String,
        price_type?: String,
        recurring_charge_period?: String,
        recurring_charge_period_type?: String,
        recurring_charge_period_length?: u32,
        application_duration?: u32,
        priority?: u32,
        price?: Price,
        product_offering_price?: Reference,
        quote?: Reference,
    }
}

crate::document! {
    /// The amounts of a price.
    #[derive(Default, Eq)]
    pub struct Price {
        duty_free_amount?: Amount,
        tax_included_amount?: Amount,
        tax_rate?: Number,
        percentage?: Number,
    }
}

crate::document! {
    /// A tax of a price, in percent.
    #[derive(Eq)]
    pub struct PriceTax {
        tax_category?: String,
        tax_rate: Number,
    }
}
