//! The table of attributes against the server: every attribute that an order may have, in each
//! version of its API, with each action. What the table has as acted on shows its effect, what it
//! refuses is refused by its path with nothing changed, and what it stores comes back.
#![expect(clippy::wildcard_enum_match_arm, reason = "orders are sent, and no other form")]

mod check;
pub(super) mod pack;
mod proof;
mod sample;
mod send;

use model::order::Form;
use model::order::attributes::{Attribute, Does, Part, attributes};
use model::plan::Action;
use serde_json::Value;
use tmf::version::Version;

use crate::world::{Settings, World};
use proof::{Proof, There, proofs};
use send::Sender;

const PARTS: [Part; 3] = [Part::Order, Part::Item, Part::Instance];

/// What is asked for with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Add,
    Modify,
    Suspend,
    Resume,
    NoChange,
    Delete,
}

impl Asked {
    const ALL: [Self; 6] =
        [Self::Add, Self::Modify, Self::Suspend, Self::Resume, Self::NoChange, Self::Delete];

    fn action(self) -> Action {
        match self {
            Self::Add => Action::Add,
            Self::Modify | Self::Suspend | Self::Resume => Action::Modify,
            Self::NoChange => Action::NoChange,
            Self::Delete => Action::Delete,
        }
    }
}

/// Which orders are served in which version.
const SERVED: [(Form, Version); 5] = [
    (Form::ProductOrder, Version::V4),
    (Form::ProductOrder, Version::V5),
    (Form::ServiceOrder, Version::V4),
    (Form::ServiceOrder, Version::V5),
    (Form::ResourceOrder, Version::V4),
];

#[tokio::test]
async fn every_attribute_of_an_order_does_what_the_table_tells() {
    let packs = pack::folder();
    let workflows = Some(packs.path().into());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let mut faults = Vec::new();
    for (form, version) in SERVED {
        walk(&world, form, version, &mut faults).await;
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// An attribute, and what it does now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    part: Part,
    name: &'static str,
    does: Does,
}

async fn walk(world: &World, form: Form, version: Version, faults: &mut Vec<String>) {
    let sender = Sender::new(world, form, version);
    let (waiting, other) = (sender.waiting().await, sender.instance().await);
    let instance = sender.instance().await;
    faults.extend(sender.described().await);
    for asked in Asked::ALL {
        if form.state().is_none() && matches!(asked, Asked::Suspend | Asked::Resume) {
            continue;
        }
        let customer = format!("C-{asked:?}-{waiting}");
        let there = There { waiting: waiting.clone(), other: other.clone(), customer };
        let walk = Walk { sender: &sender, there: &there, asked, instance: &instance };
        walk.all(faults).await;
    }
}

/// What is done with one instance.
struct Walk<'a> {
    sender: &'a Sender<'a>,
    there: &'a There,
    asked: Asked,
    instance: &'a str,
}

impl Walk<'_> {
    fn rows(&self) -> Vec<Row> {
        let action = self.asked.action();
        let of = |part: Part| {
            let row =
                move |one: &'static Attribute| Row { part, name: one.name, does: one.does(action) };
            attributes(self.sender.form, part).iter().map(row)
        };
        PARTS.into_iter().flat_map(of).collect()
    }

    /// What cannot be comes first: nothing changes by it.
    async fn all(&self, faults: &mut Vec<String>) {
        let told = |fault: String| {
            format!("{:?} {} {:?}: {fault}", self.sender.form, self.sender.version, self.asked)
        };
        let mut found = Vec::new();
        self.refusals(&mut found).await;
        self.waits(&mut found).await;
        self.effects(&mut found).await;
        self.quiet(&mut found).await;
        faults.extend(found.into_iter().map(told));
    }

    fn proofs(&self, row: &Row) -> Vec<Proof> {
        match row.does {
            Does::Acts(_) => proofs(self.sender.form, row.part, row.name, self.asked, self.there),
            Does::Shown | Does::Fixed(_) | Does::Refused(_) | Does::Stored | Does::Derived => {
                Vec::new()
            }
        }
    }

    /// An order that asks for nothing else than what is asked for.
    fn order(&self) -> Value {
        self.sender.order(self.asked, self.instance)
    }

    /// Each refusal names the path of the attribute, and nothing changes.
    async fn refusals(&self, faults: &mut Vec<String>) {
        let before = self.sender.inventories().await;
        let own = self.sender.read(self.instance).await;
        for row in self.rows() {
            let mut bad: Vec<(Value, String)> = Vec::new();
            if let Does::Fixed(_) | Does::Refused(_) = row.does {
                bad.push((self.other(&row, &own), row.name.into()));
            }
            bad.extend(self.proofs(&row).into_iter().filter_map(|proof| match proof {
                Proof::Refused(sent, at) => Some((sent, at)),
                Proof::Shown(..) | Proof::Read(..) | Proof::Waits(_) => None,
            }));
            for (sent, at) in bad {
                let mut order = self.order();
                self.sender.set(&mut order, row.part, row.name, sent);
                if row.name == "requestedCompletionDate" {
                    order["requestedStartDate"] = proof::FAR.into();
                }
                let path = self.sender.path(row.part, &at);
                if let Err(fault) = self.sender.refused(&order, &path).await {
                    faults.push(fault);
                }
            }
        }
        let after = self.sender.inventories().await;
        if let Some(changed) = check::changed(&before, &after) {
            faults.push(format!("what is refused changed something: {changed}"));
        }
    }

    /// Another value than the instance has.
    fn other(&self, row: &Row, before: &Value) -> Value {
        sample::of(self.sender.form, row.part, row.name, &before[row.name])
    }

    /// Nothing is done before its time, and nothing stays of what is cancelled.
    async fn waits(&self, faults: &mut Vec<String>) {
        for row in self.rows() {
            for proof in self.proofs(&row) {
                let Proof::Waits(sent) = proof else { continue };
                let mut order = self.order();
                self.sender.set(&mut order, row.part, row.name, sent);
                let waited = self.sender.waits(&order, self.instance, self.asked).await;
                if let Err(fault) = waited {
                    faults.push(format!("`{}` waits: {fault}", row.name));
                }
            }
        }
    }

    /// Each effect shows, of one attribute at a time where it can be asked for again.
    async fn effects(&self, faults: &mut Vec<String>) {
        if !matches!(self.asked, Asked::Add | Asked::Modify) {
            return;
        }
        for row in self.rows() {
            for proof in self.proofs(&row) {
                let sent = match &proof {
                    Proof::Shown(sent, ..) | Proof::Read(sent, _) => sent.clone(),
                    Proof::Refused(..) | Proof::Waits(_) => continue,
                };
                let mut order = self.order();
                if matches!(proof, Proof::Read(..)) {
                    self.sender.faster(&mut order);
                }
                self.sender.set(&mut order, row.part, row.name, sent);
                let seen = self.sender.effect(&order, &proof).await;
                if let Err(fault) = seen {
                    faults.push(format!("`{}`: {fault}", row.name));
                }
            }
        }
    }

    /// All that is stored, shown or has no effect, in one order with all effects that show.
    async fn quiet(&self, faults: &mut Vec<String>) {
        let form = self.sender.form;
        let mut order = self.order();
        let mut sent: Vec<(Row, Value)> = Vec::new();
        let before = self.sender.read(self.instance).await;
        for row in self.rows() {
            let value = match row.does {
                Does::Stored | Does::Shown | Does::Derived => self.other(&row, &before),
                Does::Fixed(_) => match before.get(row.name) {
                    Some(own) => own.clone(),
                    None => continue,
                },
                Does::Acts(_) | Does::Refused(_) => continue,
            };
            self.sender.set(&mut order, row.part, row.name, value.clone());
            sent.push((row, value));
        }
        let mut shown: Vec<Proof> = Vec::new();
        if matches!(self.asked, Asked::Suspend | Asked::Resume) {
            for row in self.rows() {
                for proof in self.proofs(&row) {
                    let Proof::Shown(value, ..) = &proof else { continue };
                    self.sender.set(&mut order, row.part, row.name, value.clone());
                    shown.push(proof);
                }
            }
        }
        match self.sender.done(&order).await {
            Ok(done) => {
                let quiet = check::Quiet { form, asked: self.asked, before: &before, done: &done };
                quiet.all(&sent, faults);
                faults.extend(
                    shown.iter().filter_map(|proof| check::shown(proof, &done.instance).err()),
                );
            }
            Err(fault) => faults.push(fault),
        }
    }
}
