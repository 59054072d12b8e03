//! What an expression reads, member by member: `item.char.speed`, `steps["take-port"].port`.

use std::collections::BTreeSet;

use cel::common::ast::operators::{IN, INDEX, OPT_INDEX};
use cel::common::ast::{EntryExpr, Expr as Node, IdedExpr};

use super::Expr;
use super::members::text;

/// What an expression reads of a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path<'a> {
    /// The variable, and the members that lead on from it.
    pub names: Vec<&'a str>,
    /// Whether it is only asked whether that is there.
    pub is_asked: bool,
}

impl Expr {
    /// All that the expression reads of variables, each once, in order. A member that is computed when it is
    /// evaluated ends a path.
    pub fn paths(&self) -> BTreeSet<Path<'_>> {
        let mut walk = Walk::default();
        walk.node(self.program.expression());
        walk.found
    }
}

#[derive(Default)]
struct Walk<'a> {
    bound: Vec<&'a str>,
    found: BTreeSet<Path<'a>>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &'a IdedExpr) {
        if let Some((names, is_asked)) = chain(node) {
            let is_bound = names.first().is_some_and(|name| self.bound.contains(name));
            if !is_bound {
                self.found.insert(Path { names, is_asked });
            }
            return;
        }
        match &node.expr {
            Node::Select(select) => self.node(&select.operand),
            Node::Call(call) => {
                call.target.as_deref().into_iter().chain(&call.args).for_each(|p| self.node(p));
            }
            Node::List(list) => list.elements.iter().for_each(|part| self.node(part)),
            Node::Map(map) => map.entries.iter().for_each(|part| self.entry(&part.expr)),
            Node::Struct(all) => all.entries.iter().for_each(|part| self.entry(&part.expr)),
            Node::Comprehension(inner) => {
                self.node(&inner.iter_range);
                let before = self.bound.len();
                self.bound.extend([inner.iter_var.as_str(), &inner.accu_var]);
                self.bound.extend(inner.iter_var2.as_deref());
                let parts = [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result];
                parts.into_iter().for_each(|part| self.node(part));
                self.bound.truncate(before);
            }
            Node::Ident(_) | Node::Unspecified | Node::Literal(_) => {}
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.node(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.node(&entry.key);
                self.node(&entry.value);
            }
        }
    }
}

/// A variable with members by name, and whether it is only asked for; `None` for anything else.
pub(super) fn chain(node: &IdedExpr) -> Option<(Vec<&str>, bool)> {
    match &node.expr {
        Node::Ident(name) => Some((vec![name], false)),
        Node::Select(select) => {
            let (mut names, _) = chain(&select.operand)?;
            names.push(&select.field);
            Some((names, select.test))
        }
        Node::Call(call) => {
            let args: Vec<&IdedExpr> =
                call.target.as_deref().into_iter().chain(&call.args).collect();
            let (of, member, is_asked) = match (call.func_name.as_str(), args.as_slice()) {
                (INDEX | OPT_INDEX, [of, member]) => (of, member, false),
                (IN, [member, of]) => (of, member, true),
                _ => return None,
            };
            let (mut names, _) = chain(of)?;
            names.push(text(member)?);
            Some((names, is_asked))
        }
        Node::List(_)
        | Node::Map(_)
        | Node::Struct(_)
        | Node::Comprehension(_)
        | Node::Unspecified
        | Node::Literal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Expr;

    #[test]
    fn every_path_is_found_as_far_as_it_goes() {
        for (source, paths) in [
            ("item.char.speed > 5", &["item.char.speed"][..]),
            ("has(item.char.speed)", &["item.char.speed?"]),
            ("\"speed\" in item.char ? 1 : item.quantity", &["item.char.speed?", "item.quantity"]),
            ("item[\"char\"][\"up-speed\"]", &["item.char.up-speed"]),
            ("item.char[item.name]", &["item.char", "item.name"]),
            ("[1].map(item, item.char)", &[]),
            ("item.char.sites.map(s, s.id)", &["item.char.sites"]),
            ("item.char.name.startsWith(\"a\")", &["item.char.name"]),
        ] {
            let expr = Expr::parse(source, &["item"]).unwrap();
            let found = expr.paths().into_iter().filter(|path| !path.names[0].starts_with('@'));
            let found: Vec<String> = found
                .map(|path| path.names.join(".") + if path.is_asked { "?" } else { "" })
                .collect();
            assert_eq!(found, paths, "{source}");
        }
    }
}
