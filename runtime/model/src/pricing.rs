//! What things cost. An offering's prices make the charges of an order's line (`decompose::charges`), which
//! become the prices that the product was sold at ([`sold`]), and rates and entries of the books when
//! it is delivered ([`rate`], [`ledger`]).

pub mod amount;
pub mod charge;
pub mod effect;
pub mod ledger;
pub mod product_price;
pub mod rate;
pub mod sold;
pub mod tariff;
pub mod tax;
pub mod total;

#[cfg(test)]
mod tests;
