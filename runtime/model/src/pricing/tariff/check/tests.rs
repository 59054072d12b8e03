use serde_json::{Value, json};

use super::*;
use tmf::document::read;

fn calls() -> Value {
    json!({
        "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
        "allowance": 600,
        "tiers": [{ "upTo": 6000, "price": 0.09 }, { "price": "0.05" }],
        "bands": [{ "name": "night", "from": "20:00", "until": "06:00", "percent": 50, "days": [6, 7] }],
    })
}

fn check_price(price: &Value) -> Result<(), Malformed> {
    let price: OfferedTariff = read(price)?;
    super::check_price(price.price_type.as_deref(), price.tariff.as_ref())
}

fn price(tariff: &Value) -> Value {
    let net = json!({ "dutyFreeAmount": { "unit": "EUR", "value": 0.1 } });
    json!({ "name": "Calls", "priceType": "usage", "price": net, "tariff": tariff })
}

#[test]
fn nonsense_in_tariffs_is_named() {
    let check = |path: &str, value: Value| {
        let mut price = price(&calls());
        *price["tariff"].pointer_mut(path).unwrap() = value;
        let priced = read(&json!({ "id": "prod-1", "productPrice": [price] })).unwrap();
        let told = check_price(&price).map_err(|wrong| wrong.attribute);
        let same = check_prices(&priced, |_| None).map_err(|wrong| wrong.attribute);
        assert_eq!(same, told.clone().map_err(|path| format!("productPrice[0].{path}")));
        told
    };
    assert_eq!(check("/allowance", json!(600)), Ok(()));
    let band = |name: &str, value: Value| {
        let mut band = calls()["bands"][0].clone();
        band[name] = value;
        json!([band])
    };
    let rest = json!({ "price": 1 });
    let table = [
        ("", json!("VOICE"), "tariff"),
        ("/usageSpecification", json!(""), "tariff.usageSpecification"),
        ("/usageSpecification", Value::Null, "tariff.usageSpecification"),
        ("/quantity", json!(""), "tariff.quantity"),
        ("/quantity", json!(7), "tariff.quantity"),
        ("/roundTo", json!(0), "tariff.roundTo"),
        ("/roundTo", json!("0.0000000001"), "tariff.roundTo"),
        ("/per", json!(-60), "tariff.per"),
        ("/per", json!(0), "tariff.per"),
        ("/allowance", json!(0), "tariff.allowance"),
        ("/allowance", json!("1e13"), "tariff.allowance"),
        ("/tiers", json!([rest, { "upTo": 1, "price": 1 }]), "tariff.tiers[0]"),
        ("/tiers", json!([{ "upTo": 9, "price": 1 }]), "tariff.tiers[0]"),
        (
            "/tiers",
            json!([{ "upTo": 9, "price": 1 }, { "upTo": 9, "price": 1 }, rest]),
            "tariff.tiers[1]",
        ),
        (
            "/tiers",
            json!([{ "upTo": 9, "price": 1 }, { "from": 12, "price": 1 }]),
            "tariff.tiers[1].from",
        ),
        ("/tiers", json!([{ "price": -1 }]), "tariff.tiers[0].price"),
        ("/tiers", json!([{ "price": "0.0000001" }]), "tariff.tiers[0].price"),
        ("/tiers", json!([{}]), "tariff.tiers[0].price"),
        ("/tiers", json!({ "price": 1 }), "tariff.tiers"),
        ("/bands", band("percent", json!(-50)), "tariff.bands[0].percent"),
        ("/bands", band("percent", json!(1001)), "tariff.bands[0].percent"),
        ("/bands", band("from", json!("24:00")), "tariff.bands[0].from"),
        ("/bands", band("from", json!("06:00")), "tariff.bands[0].until"),
        ("/bands", band("from", json!("6:00")), "tariff.bands[0].from"),
        ("/bands", band("until", json!("25:00")), "tariff.bands[0].until"),
        ("/bands", band("days", json!([1, 1])), "tariff.bands[0].days[1]"),
        ("/bands", band("days", json!([0])), "tariff.bands[0].days[0]"),
        ("/bands", band("factor", json!(2)), "tariff.bands[0].factor"),
    ];
    for (path, value, about) in table {
        assert_eq!(check(path, value.clone()), Err(about.to_owned()), "{path} {value}");
    }
    let mut unknown = price(&calls());
    unknown["tariff"]["alowance"] = json!(100);
    assert_eq!(check_price(&unknown).unwrap_err().attribute, "tariff.alowance");
    let mut recurring = price(&calls());
    recurring["priceType"] = json!("recurring");
    assert_eq!(check_price(&recurring).unwrap_err().attribute, "tariff");
}

#[test]
fn a_product_has_one_price_for_a_usage() {
    let own = price(&calls());
    let mut of_catalog = price(&calls());
    of_catalog.as_object_mut().unwrap().remove("tariff");
    of_catalog["productOfferingPrice"] = json!({ "id": "pop-calls" });
    let offered = read(&json!({ "tariff": calls() })).unwrap();
    let mut data = price(&calls());
    data["tariff"]["usageSpecification"] = json!("DATA");
    let check = |prices: Value| {
        let priced = read(&json!({ "id": "prod-1", "productPrice": prices })).unwrap();
        let told = check_prices(&priced, |id| (id == "pop-calls").then_some(&offered));
        told.map_err(|wrong| wrong.attribute)
    };
    assert_eq!(check(json!([own, data])), Ok(()));
    let second = "productPrice[1].tariff.usageSpecification".to_owned();
    assert_eq!(check(json!([of_catalog, own])), Err(second));
    assert_eq!(check(json!([data, own, of_catalog])), Err("productPrice[2]".to_owned()));
}
