//! Packs and histories as texts that a person can follow.

use std::fmt;

use super::order::{Added, Key, Line, Order};
use super::pack::{
    Act, Chars, ELEMENTS, Edge, Pack, Quantity, Read, Scope, Service, Source, Step, When,
};
use super::wishes::Trial;

impl fmt::Display for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for product in &self.products {
            write!(f, "{}", product.name)?;
            for one in &product.chars {
                write!(f, " {}={:?}", one.name, one.values)?;
            }
            for part in &product.parts {
                write!(f, " bundles {}", self.products[*part].name)?;
            }
            writeln!(f)?;
            self.edges(f, &product.edges)?;
        }
        for service in &self.services {
            self.service(f, service)?;
        }
        Ok(())
    }
}

impl Pack {
    fn edges(&self, f: &mut fmt::Formatter<'_>, edges: &[Edge]) -> fmt::Result {
        for edge in edges {
            write!(f, "  -> {}", self.services[edge.to].name)?;
            if let Some(quantity) = &edge.quantity {
                match quantity {
                    Quantity::Times(source) => write!(f, " times {source}")?,
                    Quantity::SitesBut(source) => write!(f, " for each site but {source}")?,
                }
            }
            write!(f, "{}", edge.when)?;
            for (name, source) in &edge.maps {
                write!(f, " {name}:={source}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn service(&self, f: &mut fmt::Formatter<'_>, service: &Service) -> fmt::Result {
        write!(f, "{} [{}]", service.name, service.chars.join(" "))?;
        if service.scope != Scope::Item {
            write!(f, " one for each {:?}", service.scope)?;
        }
        for (word, others) in [("dependsOn", &service.depends), ("needs", &service.needs)] {
            for other in others {
                write!(f, " {word} {}", self.services[*other].name)?;
            }
        }
        if service.has_resource {
            write!(f, " with a resource")?;
        }
        writeln!(f)?;
        self.edges(f, &service.edges)?;
        service.steps.iter().try_for_each(|step| self.step(f, step))
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
        write!(f, "  {}: ", step.name)?;
        match &step.act {
            Act::Take { pool } => write!(f, "takes from pool-{pool}")?,
            Act::Note { v } => write!(f, "notes v:={v}")?,
            Act::Tell { element, body } => {
                write!(f, "tells {}", ELEMENTS[*element].name)?;
                for (name, read) in body {
                    write!(f, " {name}:=")?;
                    match read {
                        Read::Number(source) => write!(f, "{source}")?,
                        Read::Place => write!(f, "place")?,
                        Read::Own(step) => write!(f, "t{step}.v")?,
                        Read::Upstream(other) => write!(f, "{}.v", self.services[*other].name)?,
                    }
                }
            }
        }
        write!(f, "{}", step.when)?;
        let at_once = if step.starts_at_once { ", at once" } else { "" };
        writeln!(f, "{at_once}, {}", if step.rolls_back { "rolls back" } else { "holds" })
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::Equals(source, value) => write!(f, " when {source}={value}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::Item(name) => write!(f, "item.{name}"),
            Self::Product(name) => write!(f, "product.{name}"),
        }
    }
}

impl Trial {
    /// The trial, with the names of its products' specifications.
    pub(super) fn described(&self, pack: &Pack) -> String {
        let mut text = String::new();
        for (at, order) in self.orders.iter().enumerate() {
            let number = self.number + at;
            text.push_str(&format!(
                "order {number} of {}:{}\n",
                order.customer,
                lines(pack, order)
            ));
        }
        if let Some(wait) = self.orders.iter().find_map(|order| order.begins_in_ms) {
            text.push_str(&format!("  to begin in {wait} ms\n"));
        }
        for fault in &self.faults {
            text.push_str(&format!("  fault {fault}\n"));
        }
        if let Some(records) = self.kill {
            text.push_str(&format!("  killed after {records} records\n"));
        }
        if let Some(records) = self.cancel {
            text.push_str(&format!("  cancelled after {records} records\n"));
        }
        text
    }
}

fn lines(pack: &Pack, order: &Order) -> String {
    order.lines.iter().map(|one| format!(" {};", line(pack, one))).collect()
}

fn line(pack: &Pack, one: &Line) -> String {
    match one {
        Line::Add(added) => add(pack, added),
        Line::Modify { product, chars, place } => {
            let place = place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            format!("modify {}{}{place}", key(product), list(chars))
        }
        Line::Status { product, is_suspended: true } => format!("suspend {}", key(product)),
        Line::Status { product, is_suspended: false } => format!("resume {}", key(product)),
        Line::Delete { product } => format!("delete {}", key(product)),
        Line::Within { bundle, lines } => {
            let lines: Vec<String> = lines.iter().map(|one| line(pack, one)).collect();
            format!("within {} ({})", key(bundle), lines.join("; "))
        }
    }
}

fn add(pack: &Pack, added: &Added) -> String {
    let mut text = format!("add {}{}", pack.products[added.product].name, list(&added.chars));
    if let Some(place) = &added.place {
        text.push_str(&format!(" at {place}"));
    }
    if let Some((other, word)) = &added.relies_on {
        text.push_str(&format!(" {word} line {other}"));
    }
    if !added.parts.is_empty() {
        let parts: Vec<String> = added.parts.iter().map(|part| add(pack, part)).collect();
        text.push_str(&format!(" ({})", parts.join("; ")));
    }
    text
}

fn key(product: &Key) -> String {
    format!("{}/{}", product.0, product.1)
}

fn list(chars: &Chars) -> String {
    chars.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}
