//! Expressions: the parser's to ours.
//!
//! Promises to turn a sum of many parts into one level. Refuses to judge what anything means.

use super::{Call, Comprehension, Converted, Converter, Expr, Kind, Loop, Part, Ranged, all, ast};

impl Converter<'_> {
    pub(super) fn option(&self, expr: Option<&ast::Expr>, level: usize) -> Converted<Option<Expr>> {
        expr.map(|expr| self.expr(expr, level)).transpose()
    }

    pub(super) fn exprs(&self, exprs: &[ast::Expr], level: usize) -> Converted<Vec<Expr>> {
        all(exprs, |expr| self.expr(expr, level))
    }

    fn boxed(&self, expr: &ast::Expr, level: usize) -> Converted<Box<Expr>> {
        self.expr(expr, level).map(Box::new)
    }

    pub(super) fn expr(&self, expr: &ast::Expr, level: usize) -> Converted<Expr> {
        let level = self.deeper(level, expr.range())?;
        let range = expr.range();
        Ok(Expr {
            start: range.start().into(),
            end: range.end().into(),
            kind: self.kind(expr, level)?,
        })
    }

    fn kind(&self, expr: &ast::Expr, level: usize) -> Converted<Kind> {
        Ok(match expr {
            ast::Expr::StringLiteral(it) => Kind::Str(it.value.to_str().into()),
            ast::Expr::BooleanLiteral(it) => Kind::Bool(it.value),
            ast::Expr::NoneLiteral(_) => Kind::None,
            ast::Expr::EllipsisLiteral(_) => Kind::Ellipsis,
            ast::Expr::NumberLiteral(it) => match &it.value {
                ast::Number::Int(value) => value.as_i64().map_or(Kind::Other(Vec::new()), Kind::Int),
                _ => Kind::Other(Vec::new()),
            },
            ast::Expr::Name(it) => Kind::Name(self.name(&it.id)),
            ast::Expr::Attribute(it) => Kind::Attribute(self.boxed(&it.value, level)?, self.name(&it.attr)),
            ast::Expr::Call(it) => Kind::Call(Box::new(self.call(it, level)?)),
            ast::Expr::FString(it) => Kind::FString(self.parts(it, level)?),
            ast::Expr::Tuple(it) => Kind::List(self.exprs(&it.elts, level)?),
            ast::Expr::List(it) => Kind::List(self.exprs(&it.elts, level)?),
            ast::Expr::Set(it) => Kind::List(self.exprs(&it.elts, level)?),
            ast::Expr::Dict(it) => {
                let item = |it: &ast::DictItem| {
                    Ok((self.option(it.key.as_ref(), level)?, self.expr(&it.value, level)?))
                };
                Kind::Dict(all(&it.items, item)?)
            }
            ast::Expr::BinOp(it) => self.binary(it, level)?,
            ast::Expr::BoolOp(it) => {
                let values = self.exprs(&it.values, level)?;
                match it.op {
                    ast::BoolOp::And => Kind::And(values),
                    ast::BoolOp::Or => Kind::Or(values),
                }
            }
            ast::Expr::UnaryOp(it) if it.op == ast::UnaryOp::Not => {
                Kind::Not(self.boxed(&it.operand, level)?)
            }
            ast::Expr::If(it) => {
                let three = [&it.test, &it.body, &it.orelse].map(|part| self.expr(part, level));
                let [test, body, orelse] = three;
                Kind::Ternary(Box::new([test?, body?, orelse?]))
            }
            ast::Expr::Subscript(it) => {
                Kind::Subscript(self.boxed(&it.value, level)?, self.boxed(&it.slice, level)?)
            }
            ast::Expr::Starred(it) => Kind::Starred(self.boxed(&it.value, level)?),
            ast::Expr::Named(it) => {
                Kind::Named(self.boxed(&it.target, level)?, self.boxed(&it.value, level)?)
            }
            ast::Expr::Lambda(it) => Kind::Lambda(self.boxed(&it.body, level)?),
            // What is awaited is what is called.
            ast::Expr::Await(it) => self.kind(&it.value, self.deeper(level, expr.range())?)?,
            ast::Expr::ListComp(it) => self.comprehension(&[&it.elt], &it.generators, level)?,
            ast::Expr::SetComp(it) => self.comprehension(&[&it.elt], &it.generators, level)?,
            ast::Expr::Generator(it) => self.comprehension(&[&it.elt], &it.generators, level)?,
            ast::Expr::DictComp(it) => {
                let elements: Vec<&ast::Expr> = it.key.iter().chain([&it.value]).map(|it| &**it).collect();
                self.comprehension(&elements, &it.generators, level)?
            }
            _ => Kind::Other(self.rest(expr, level)?),
        })
    }

    /// The expressions in one of which nothing else matters.
    fn rest(&self, expr: &ast::Expr, level: usize) -> Converted<Vec<Expr>> {
        let inner: Vec<&ast::Expr> = match expr {
            ast::Expr::UnaryOp(it) => vec![&it.operand],
            ast::Expr::Compare(it) => [&*it.left].into_iter().chain(&it.comparators).collect(),
            ast::Expr::Yield(it) => it.value.iter().map(|value| &**value).collect(),
            ast::Expr::YieldFrom(it) => vec![&it.value],
            ast::Expr::Slice(it) => {
                let ends = [&it.lower, &it.upper, &it.step];
                ends.into_iter().flatten().map(|end| &**end).collect()
            }
            _ => Vec::new(),
        };
        inner.into_iter().map(|inner| self.expr(inner, level)).collect()
    }

    /// `a + b + c` leans to the left, one level for each sign: here it is one list.
    fn binary(&self, it: &ast::ExprBinOp, level: usize) -> Converted<Kind> {
        let mut parts = vec![&*it.right];
        let mut left = &*it.left;
        while let ast::Expr::BinOp(inner) = left {
            if inner.op != it.op || it.op == ast::Operator::Mod {
                break;
            }
            parts.push(&inner.right);
            left = &inner.left;
        }
        parts.push(left);
        let mut parts = parts
            .into_iter()
            .rev()
            .map(|part| self.expr(part, level))
            .collect::<Converted<Vec<_>>>()?;
        Ok(match it.op {
            ast::Operator::Add => Kind::Sum(parts),
            ast::Operator::Mod => match (parts.pop(), parts.pop()) {
                (Some(right), Some(left)) => Kind::Percent(Box::new(left), Box::new(right)),
                _ => Kind::Other(parts),
            },
            _ => Kind::Other(parts),
        })
    }

    fn call(&self, it: &ast::ExprCall, level: usize) -> Converted<Call> {
        let keyword = |it: &ast::Keyword| {
            let name = it.arg.as_ref().map(|name| self.name(name));
            Ok((name, self.expr(&it.value, level)?))
        };
        Ok(Call {
            function: self.expr(&it.func, level)?,
            arguments: self.exprs(&it.arguments.args, level)?,
            keywords: all(&it.arguments.keywords, keyword)?,
        })
    }

    fn parts(&self, it: &ast::ExprFString, level: usize) -> Converted<Vec<Part>> {
        let mut parts = Vec::new();
        for part in it.value.as_slice() {
            match part {
                ast::FStringPart::Literal(literal) => parts.push(Part::Literal(literal.value.to_string())),
                ast::FStringPart::FString(string) => {
                    for element in &string.elements {
                        parts.push(self.part(element, level)?);
                    }
                }
            }
        }
        Ok(parts)
    }

    fn part(&self, element: &ast::InterpolatedStringElement, level: usize) -> Converted<Part> {
        Ok(match element {
            ast::InterpolatedStringElement::Literal(literal) => Part::Literal(literal.value.to_string()),
            ast::InterpolatedStringElement::Interpolation(it) => {
                let value = self.expr(&it.expression, level)?;
                let is_plain = it.format_spec.is_none()
                    && it.debug_text.is_none()
                    && matches!(
                        it.conversion,
                        ast::ConversionFlag::None | ast::ConversionFlag::Str
                    );
                if is_plain {
                    Part::Plain(value)
                } else {
                    Part::Formatted(value)
                }
            }
        })
    }

    fn comprehension(
        &self,
        elements: &[&ast::Expr],
        loops: &[ast::Comprehension],
        level: usize,
    ) -> Converted<Kind> {
        let one = |it: &ast::Comprehension| {
            Ok(Loop {
                target: self.expr(&it.target, level)?,
                items: self.expr(&it.iter, level)?,
                conditions: self.exprs(&it.ifs, level)?,
            })
        };
        Ok(Kind::Comprehension(Box::new(Comprehension {
            elements: elements
                .iter()
                .map(|element| self.expr(element, level))
                .collect::<Converted<_>>()?,
            loops: all(loops, one)?,
        })))
    }
}
