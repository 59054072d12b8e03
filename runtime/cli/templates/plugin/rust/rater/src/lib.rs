//! Charges every price whole, for the quantity of the item.

use ferrule_plugin::money::Rounding;
use ferrule_plugin::rater::{Charge, Price, Request};
use ferrule_plugin::{Failure, Rater};

#[cfg(test)]
mod tests;

struct Adapter;

impl Rater for Adapter {
    fn rate(request: &Request) -> Result<Vec<Charge>, Failure> {
        request.prices.iter().map(|price| charge(request, price)).collect()
    }
}

ferrule_plugin::export!(Adapter as Rater);

fn charge(request: &Request, price: &Price) -> Result<Charge, Failure> {
    let tax_rate = price.tax_rate.unwrap_or(request.tax_rate);
    let uncountable = |cause| {
        Failure::operator("AMOUNT", format!("price `{}` cannot be computed: {cause}", price.id))
    };
    let net = price.amount.times(request.quantity).map_err(uncountable)?;
    let net = net.rounded(Rounding::HalfUp);
    let tax = net.percent(tax_rate).map_err(uncountable)?.rounded(Rounding::HalfUp);
    Ok(Charge {
        price: price.id.clone(),
        net,
        tax,
        tax_rate: Some(tax_rate),
        covers: None,
        prorated: None,
    })
}
