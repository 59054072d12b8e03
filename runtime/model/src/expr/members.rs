//! What an expression reads of a variable by name: `steps.allocate`, `upstream["RFS-VLAN"]`.

use std::collections::BTreeSet;

use cel::common::ast::operators::{IN, INDEX, OPT_INDEX};
use cel::common::ast::{EntryExpr, Expr as Node, IdedExpr, LiteralValue};

use super::Expr;

impl Expr {
    /// The members of a variable that the expression names, each once, in order. Members that
    /// are computed when it is evaluated are not among them.
    pub fn members(&self, variable: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        walk(self.program.expression(), variable, &mut found);
        found
    }
}

fn walk<'a>(node: &'a IdedExpr, variable: &str, found: &mut BTreeSet<&'a str>) {
    let is_it = |node: &IdedExpr| matches!(&node.expr, Node::Ident(name) if name == variable);
    match &node.expr {
        Node::Select(select) => {
            if is_it(&select.operand) {
                found.insert(&select.field);
            }
            walk(&select.operand, variable, found);
        }
        Node::Call(call) => {
            let args: Vec<&IdedExpr> =
                call.target.as_deref().into_iter().chain(&call.args).collect();
            let member = match (call.func_name.as_str(), args.as_slice()) {
                (INDEX | OPT_INDEX, [of, member]) if is_it(of) => text(member),
                (IN, [member, of]) if is_it(of) => text(member),
                _ => None,
            };
            found.extend(member);
            args.into_iter().for_each(|part| walk(part, variable, found));
        }
        Node::List(list) => list.elements.iter().for_each(|part| walk(part, variable, found)),
        Node::Map(map) => map.entries.iter().for_each(|part| entry(&part.expr, variable, found)),
        Node::Struct(all) => all.entries.iter().for_each(|part| entry(&part.expr, variable, found)),
        Node::Comprehension(inner) => {
            let parts = [
                &inner.iter_range,
                &inner.accu_init,
                &inner.loop_cond,
                &inner.loop_step,
                &inner.result,
            ];
            parts.into_iter().for_each(|part| walk(part, variable, found));
        }
        Node::Ident(_) | Node::Unspecified | Node::Literal(_) => {}
    }
}

fn entry<'a>(entry: &'a EntryExpr, variable: &str, found: &mut BTreeSet<&'a str>) {
    match entry {
        EntryExpr::StructField(field) => walk(&field.value, variable, found),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, variable, found);
            walk(&entry.value, variable, found);
        }
    }
}

pub(super) fn text(node: &IdedExpr) -> Option<&str> {
    let Node::Literal(LiteralValue::String(text)) = &node.expr else { return None };
    Some(text.inner())
}

#[cfg(test)]
mod tests {
    use super::Expr;

    #[test]
    fn every_member_that_is_named_is_found() {
        for (source, members) in [
            ("steps.one.port", &["one"][..]),
            ("steps[\"one\"].port + steps.two.x", &["one", "two"]),
            (
                "\"RFS-A\" in steps ? steps[\"RFS-A\"].port : steps[\"RFS-B\"].port",
                &["RFS-A", "RFS-B"],
            ),
            ("has(steps.one) && has(steps.two.port)", &["one", "two"]),
            ("[steps.one.a, {\"x\": steps.two.b}].size()", &["one", "two"]),
            ("[1, 2].map(n, steps.one.a + n)", &["one"]),
            ("steps[item.name].port", &[]),
            ("item.steps.one", &[]),
        ] {
            let expr = Expr::parse(source, &["steps", "item"]).unwrap();
            let found: Vec<&str> = expr.members("steps").into_iter().collect();
            assert_eq!(found, members, "{source}");
        }
    }
}
