//! From one value to the next, and back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tokio::task::{JoinSet, LocalSet};

use super::catalog::{Catalog, PACKS};
use super::picture::{Instances, Picture};
use super::sold::Sold;
use crate::world::{World, orders_of, pack_order, text};

/// What comes of a step: all that is wrong.
type Checked = Result<(), String>;

/// A world with orders that differ from those under test in nothing but that they were made so.
pub(super) struct Tour {
    pub(super) world: World,
    fresh: RefCell<BTreeMap<String, Rc<OnceCell<Picture>>>>,
    made: RefCell<Vec<Sold>>,
}

#[tokio::test]
async fn each_characteristic_takes_each_value_and_goes_back() {
    let tour = Rc::new(Tour::new(World::start().await));
    let mut wrong = Vec::new();
    let walks = LocalSet::new();
    walks
        .run_until(async {
            let mut walking = JoinSet::new();
            for (pack, name) in PACKS.iter().flat_map(|pack| orders_of(pack, "orders")) {
                let tour = Rc::clone(&tour);
                walking.spawn_local(async move {
                    let told = tour.walk(&pack, &name).await;
                    told.into_iter()
                        .map(|what| format!("{pack}/{name}: {what}"))
                        .collect::<Vec<_>>()
                });
            }
            while let Some(told) = walking.join_next().await {
                wrong.extend(told.unwrap());
            }
        })
        .await;
    wrong.extend(tour.end_fresh().await.err());
    wrong.extend(tour.nothing_left().await.err());
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

impl Tour {
    pub(super) fn new(world: World) -> Self {
        Self { world, fresh: RefCell::default(), made: RefCell::default() }
    }

    /// Takes the products of an order through all that can be asked for; tells what is wrong.
    async fn walk(&self, pack: &str, name: &str) -> Vec<String> {
        let catalog = Catalog::of(pack);
        let mut wrong = Vec::new();
        let mut sold = match self.sell(&pack_order(&format!("{pack}/{name}"))).await {
            Ok(sold) => sold,
            Err(what) => return vec![what],
        };
        let mut seen = BTreeSet::new();
        wrong.extend(self.agree(&sold, &mut seen).await.err());
        for line in sold.lines() {
            for characteristic in catalog.of_offering(&line.offering) {
                let name = &characteristic.name;
                let start = sold.characteristics(&line.id).get(name).cloned();
                for value in
                    characteristic.values.iter().filter(|value| Some(*value) != start.as_ref())
                {
                    for value in [Some(value), start.as_ref()].into_iter().flatten() {
                        let what = format!("line {}: {name} = {value}", line.id);
                        if let Err(why) = self.set(&mut sold, &line.id, name, value).await {
                            wrong.push(format!("{what}: {why}"));
                            return wrong;
                        }
                        let agreed = self.agree(&sold, &mut seen).await;
                        wrong.extend(agreed.err().map(|why| format!("{what}:\n{why}")));
                    }
                }
            }
        }
        for state in ["suspended", "active"] {
            if let Err(why) = self.turn(&mut sold, state).await {
                wrong.push(format!("{state}: {why}"));
                return wrong;
            }
        }
        let agreed = self.agree(&sold, &mut seen).await;
        wrong.extend(agreed.err().map(|why| format!("resumed:\n{why}")));
        wrong.extend(self.end(&mut sold, &seen).await.err());
        wrong
    }

    /// Orders, and notes what the products are that came of it.
    pub(super) async fn sell(&self, order: &Value) -> Result<Sold, String> {
        let id = self.completed(order).await?;
        let mut sold = Sold::new(order.clone(), id);
        let instances = Instances::of(&self.world, &sold).await;
        for line in sold.lines() {
            let all = instances.products[&sold.product(&line.id)]["productCharacteristic"].clone();
            let all = all.as_array().into_iter().flatten();
            let all = all.map(|one| (text(&one["name"]), one["value"].clone())).collect();
            sold.becomes(&line.id, &all);
        }
        Ok(sold)
    }

    /// Gives a characteristic another value, with what must go with it.
    pub(super) async fn set(
        &self,
        sold: &mut Sold,
        line: &str,
        name: &str,
        value: &Value,
    ) -> Checked {
        let mut changed = Map::from_iter([(name.to_string(), value.clone())]);
        if name == "portIn" && *value == true {
            let known = sold.characteristics(line);
            let ported = json!({
                "portNumber": "+61491570006", "donorOperator": "OtherTel",
                "portWindow": "2020-01-01T00:00:00Z",
            });
            let ported = ported.as_object().unwrap().clone().into_iter();
            changed.extend(ported.filter(|(name, _)| !known.contains_key(name)));
        }
        self.change(sold, line, &changed).await
    }

    /// Gives characteristics other values.
    pub(super) async fn change(
        &self,
        sold: &mut Sold,
        line: &str,
        changed: &Map<String, Value>,
    ) -> Checked {
        let id = self.completed(&sold.modify(line, changed)).await?;
        sold.orders.push(id);
        sold.becomes(line, changed);
        Ok(())
    }

    /// Suspends or resumes; what products are made of and what the network holds stays.
    async fn turn(&self, sold: &mut Sold, state: &str) -> Checked {
        let before = Instances::of(&self.world, sold).await.picture(&self.world, sold).await;
        for line in sold.roots() {
            let order = sold.change("modify", &line, &json!({ "status": state }));
            sold.orders.push(self.completed(&order).await?);
        }
        let instances = Instances::of(&self.world, sold).await;
        let picture = instances.picture(&self.world, sold).await;
        let of_services = if state == "active" { "active" } else { "inactive" };
        let products = instances.products.values().filter(|row| row["status"] != state);
        let services = instances.services.values().filter(|row| row["state"] != of_services);
        let wrong: Vec<String> = products
            .map(|row| format!("{} {}", text(&row["name"]), text(&row["status"])))
            .chain(services.map(|row| format!("{} {}", text(&row["name"]), text(&row["state"]))))
            .collect();
        if !wrong.is_empty() {
            return Err(wrong.join(", "));
        }
        picture.same_network(&before)
    }

    /// Ends the products of an order: nothing of them is left.
    pub(super) async fn end(&self, sold: &mut Sold, seen: &BTreeSet<String>) -> Checked {
        for line in sold.roots() {
            let order = sold.change("delete", &line, &json!({}));
            let ended = self.completed(&order).await.map_err(|why| format!("delete: {why}"))?;
            sold.orders.push(ended);
        }
        let instances = Instances::of(&self.world, sold).await;
        let mut wrong = Vec::new();
        for row in instances.products.values().filter(|row| row["status"] != "terminated") {
            wrong.push(format!("{} is {}", text(&row["name"]), text(&row["status"])));
        }
        wrong.extend(self.not_terminated(seen).await);
        let picture = instances.picture(&self.world, sold).await;
        wrong.extend(picture.holds_nothing().err());
        if wrong.is_empty() { Ok(()) } else { Err(format!("ended: {}", wrong.join(", "))) }
    }

    /// Ends all that was ordered for comparison.
    pub(super) async fn end_fresh(&self) -> Checked {
        let ends = self.made.take().into_iter().map(async |mut sold| {
            let ended = self.end(&mut sold, &BTreeSet::new()).await;
            ended.err()
        });
        let wrong: Vec<String> = join_all(ends).await.into_iter().flatten().collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    async fn not_terminated(&self, services: &BTreeSet<String>) -> Vec<String> {
        let rows = services.iter().map(async |id| {
            let path = format!("{}/{id}", tmf::table::path("service"));
            self.world.http.get(&path).await
        });
        let rows = join_all(rows).await.into_iter().filter(|row| row["state"] != "terminated");
        rows.map(|row| format!("{} is {}", text(&row["name"]), text(&row["state"]))).collect()
    }

    /// The inventories, the network and a reconciliation say what they would say if the products had
    /// been ordered as they are.
    pub(super) async fn agree(&self, sold: &Sold, seen: &mut BTreeSet<String>) -> Checked {
        let instances = Instances::of(&self.world, sold).await;
        let found = instances.picture(&self.world, sold).await;
        let fresh = self.fresh(&sold.order).await?;
        let fresh = fresh.get().expect("it was just made");
        let mut wrong = vec![found.differences(fresh)];
        let gone = seen.iter().filter(|id| !instances.services.contains_key(*id)).cloned();
        wrong.extend(self.not_terminated(&gone.collect()).await);
        seen.extend(instances.services.keys().cloned());
        let scopes = instances.named().into_iter().map(|id| json!({ "service": { "id": id } }));
        let findings = scopes.map(async |scope| self.world.findings(&scope).await);
        wrong.extend(join_all(findings).await.into_iter().flatten());
        wrong.retain(|what| !what.is_empty());
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// The instances of an order that is sent now.
    async fn fresh(&self, order: &Value) -> Result<Rc<OnceCell<Picture>>, String> {
        let cell = {
            let mut known = self.fresh.borrow_mut();
            Rc::clone(known.entry(order.to_string()).or_default())
        };
        let make = async || {
            let sold = Sold::new(order.clone(), self.completed(order).await?);
            let instances = Instances::of(&self.world, &sold).await;
            let picture = instances.picture(&self.world, &sold).await;
            self.made.borrow_mut().push(sold);
            Ok::<_, String>(picture)
        };
        cell.get_or_try_init(make).await?;
        Ok(cell)
    }

    /// Sends an order and waits until it has completed; answers with its id.
    pub(super) async fn completed(&self, order: &Value) -> Result<String, String> {
        let id = self.world.submit(order).await;
        let now = self.world.settled(&id).await;
        if now["state"] == "completed" {
            return Ok(id);
        }
        Err(format!("{} {id}: {}", text(&now["state"]), now["failures"]))
    }

    /// No element, no pool and no inventory holds anything.
    pub(super) async fn nothing_left(&self) -> Checked {
        let books = self.world.books().await;
        let mut wrong: Vec<String> =
            books.state.iter().map(|entry| format!("the network has {entry}")).collect();
        let held = books.of("resource").values().filter(|row| row["resourceStatus"] != "available");
        wrong.extend(held.map(|row| format!("{} is {}", row["id"], row["resourceStatus"])));
        let active = books.of("service").values().filter(|row| row["state"] != "terminated");
        wrong.extend(active.map(|row| format!("{} is {}", row["id"], row["state"])));
        wrong.extend(self.world.findings(&json!({})).await);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}
