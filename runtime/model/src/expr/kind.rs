//! Kinds of values that expressions have for certain, whatever their variables are: `1 + 1` is a number, so it is no
//! condition.

use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, IN, LESS, LESS_EQUALS, LOGICAL_AND,
    LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, SUBSTRACT,
};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Node, IdedExpr, LiteralValue};

use super::Expr;
use super::paths::chain;

/// What variables and their members are, by their paths: `("identity.subject", "a text")`.
pub type Kinds<'a> = &'a [(&'a str, &'static str)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Boolean,
    /// Something that is neither true nor false.
    Other(&'static str),
    /// It depends on the variables.
    Open,
}

impl Expr {
    /// What is there instead of a condition: `None` if the expression may be true or false.
    pub fn no_condition(&self, known: Kinds<'_>) -> Option<&'static str> {
        wrong(self.program.expression(), known)
    }
}

/// What a part gives that must be a condition, and is none.
fn wrong(node: &IdedExpr, known: Kinds<'_>) -> Option<&'static str> {
    if let Node::Call(call) = &node.expr {
        let of_all = |parts: &[IdedExpr]| parts.iter().find_map(|part| wrong(part, known));
        match call.func_name.as_str() {
            LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT | CONDITIONAL => return of_all(&call.args),
            _ => {}
        }
    }
    match kind(node, known) {
        Kind::Other(what) => Some(what),
        Kind::Boolean | Kind::Open => None,
    }
}

fn kind(node: &IdedExpr, known: Kinds<'_>) -> Kind {
    match &node.expr {
        Node::Literal(literal) => of_literal(literal),
        Node::Select(select) if select.test => Kind::Boolean,
        Node::Ident(_) | Node::Select(_) => of_path(node, known),
        Node::Call(call) => match of_call(call) {
            Kind::Open => of_path(node, known),
            found @ (Kind::Boolean | Kind::Other(_)) => found,
        },
        Node::List(_) => Kind::Other("a list"),
        Node::Map(_) | Node::Struct(_) => Kind::Other("an object"),
        Node::Comprehension(inner) => of_comprehension(inner, known),
        Node::Unspecified => Kind::Open,
    }
}

fn of_literal(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(_) => Kind::Boolean,
        LiteralValue::String(_) => Kind::Other("a text"),
        LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => {
            Kind::Other("a number")
        }
        LiteralValue::Bytes(_) => Kind::Other("bytes"),
        LiteralValue::Null => Kind::Other("null"),
    }
}

fn of_path(node: &IdedExpr, known: Kinds<'_>) -> Kind {
    let path = chain(node).map(|(names, _)| names.join("."));
    let found = known.iter().find(|(name, _)| Some(*name) == path.as_deref());
    found.map_or(Kind::Open, |(_, what)| Kind::Other(what))
}

fn of_call(call: &CallExpr) -> Kind {
    match call.func_name.as_str() {
        EQUALS | NOT_EQUALS | LESS | LESS_EQUALS | GREATER | GREATER_EQUALS | IN => Kind::Boolean,
        "contains" | "startsWith" | "endsWith" | "bool" => Kind::Boolean,
        SUBSTRACT | MULTIPLY | DIVIDE | MODULO | NEGATE => Kind::Other("a number"),
        "size" | "int" | "uint" | "double" => Kind::Other("a number"),
        // Of numbers, texts or lists, and never of booleans.
        ADD => Kind::Other("a sum"),
        "string" => Kind::Other("a text"),
        "bytes" => Kind::Other("bytes"),
        "type" => Kind::Other("a type"),
        _ => Kind::Open,
    }
}

/// Macros collect what they give: `exists` and `all` a boolean, `map` and `filter` a list.
fn of_comprehension(inner: &ComprehensionExpr, known: Kinds<'_>) -> Kind {
    if let Node::Ident(name) = &inner.result.expr
        && *name == inner.accu_var
    {
        return kind(&inner.accu_init, known);
    }
    kind(&inner.result, &[])
}

#[cfg(test)]
mod tests {
    use super::Expr;

    #[test]
    fn expressions_that_are_no_condition_for_certain_are_found() {
        let known = [("item", "an object"), ("item.name", "a text")];
        for (source, expected) in [
            ("1 + 1", Some("a sum")),
            ("\"x\"", Some("a text")),
            ("-item.quantity", Some("a number")),
            ("null", Some("null")),
            ("[item]", Some("a list")),
            ("{\"a\": 1}", Some("an object")),
            ("item", Some("an object")),
            ("item[\"name\"]", Some("a text")),
            ("item.all.map(i, i == 1)", Some("a list")),
            ("item.all.filter(i, i == 1)", Some("a list")),
            ("size(item.all)", Some("a number")),
            ("item.all.size()", Some("a number")),
            ("item.ok && \"x\"", Some("a text")),
            ("!(item.ok || 1)", Some("a number")),
            ("item.ok ? true : item.name", Some("a text")),
            ("true", None),
            ("item.ok", None),
            ("has(item.name)", None),
            ("item.all.exists(item, item)", None),
            ("item.all.all(i, i.ok)", None),
            ("item.all.exists_one(i, i.ok)", None),
            ("item.all[0]", None),
            ("item.name in [\"a\"]", None),
            ("item.name.startsWith(\"a\") || item.quantity + 1 > 2", None),
        ] {
            let expr = Expr::parse(source, &["item"]).unwrap();
            assert_eq!(expr.no_condition(&known), expected, "{source}");
        }
    }
}
