//! The operators that choose, name and order the columns that are there: `project-away`, `project-keep`, `project-rename`,
//! `project-reorder`.

use spoor_kql_syntax::ast::{Expr, ExprKind, NamedExpr, Reorder, ReorderBy, Span};
use spoor_kql_syntax::{Diagnostic, as_written, suggest};

use super::relation::{BoundColumn, Relation};
use super::{Bind, Binder, Stop, TokenSense};

impl Binder<'_> {
    pub(super) fn project_away(
        &mut self,
        input: Relation,
        patterns: &[Expr],
        span: Span,
    ) -> Bind<Relation> {
        let matched = self.matching(&input, patterns)?;
        self.keep_where(input, |column| !matched.contains(&column.name), span)
    }

    pub(super) fn project_keep(
        &mut self,
        input: Relation,
        patterns: &[Expr],
        span: Span,
    ) -> Bind<Relation> {
        let matched = self.matching(&input, patterns)?;
        self.keep_where(input, |column| matched.contains(&column.name), span)
    }

    /// The relation with those of its columns for which a condition holds.
    fn keep_where(
        &mut self,
        input: Relation,
        wanted: impl Fn(&BoundColumn) -> bool,
        span: Span,
    ) -> Bind<Relation> {
        let mut columns = input.columns.clone();
        columns.retain(wanted);
        let exprs = columns.iter().map(BoundColumn::expr).collect();
        self.project_to(input, exprs, columns, span)
    }

    /// The names that a list of names and patterns means.
    fn matching(&mut self, input: &Relation, patterns: &[Expr]) -> Bind<Vec<String>> {
        let matched = self.each(patterns, |binder, pattern| {
            binder.matching_one(input, pattern)
        })?;
        Ok(matched
            .into_iter()
            .flatten()
            .map(|column| column.name)
            .collect())
    }

    fn matching_one(&mut self, input: &Relation, pattern: &Expr) -> Bind<Vec<BoundColumn>> {
        match &pattern.kind {
            ExprKind::Star => Ok(input.columns.clone()),
            ExprKind::Pattern(text) => Ok(input
                .columns
                .iter()
                .filter(|c| wildcard(text, &c.name))
                .cloned()
                .collect()),
            ExprKind::Name(name) => Ok(vec![self.column_named(input, name, pattern.span)?]),
            _ => Err(self.error(pattern.span, "this must be a column's name or a pattern")),
        }
    }

    pub(super) fn column_named(
        &mut self,
        input: &Relation,
        name: &str,
        span: Span,
    ) -> Bind<BoundColumn> {
        if let Some(found) = input.find(name) {
            self.sense(span, TokenSense::Column);
            return Ok(found.clone());
        }
        let problem = Diagnostic::error(span, format!("no column is called `{name}`"));
        Err(self.unknown_column(input, name, span, problem))
    }

    /// Reports that a relation has no such column, if all that it has are known. `span` is the name's place.
    pub(super) fn unknown_column(
        &mut self,
        input: &Relation,
        name: &str,
        span: Span,
        problem: Diagnostic,
    ) -> Stop {
        if input.open {
            return Stop::Reported;
        }
        let known = input.columns.iter().map(|column| column.name.as_str());
        self.report(match suggest(name, known) {
            Some(found) => problem.meant(found, span, &as_written(found), name),
            None => problem,
        })
    }

    pub(super) fn project_rename(
        &mut self,
        mut input: Relation,
        exprs: &[NamedExpr],
    ) -> Bind<Relation> {
        let before = input.clone();
        for named in exprs {
            let ([new], ExprKind::Name(old)) = (named.names.as_slice(), &named.value.kind) else {
                return Err(self.error(named.span, "`project-rename` takes new = old"));
            };
            let column = self.column_named(&before, old, named.value.span)?;
            let at = before
                .columns
                .iter()
                .position(|other| other.name == column.name);
            if let Some(renamed) = at.and_then(|at| input.columns.get_mut(at)) {
                renamed.name = new.text.clone();
            }
            if input
                .columns
                .iter()
                .filter(|other| other.name == new.text)
                .count()
                > 1
            {
                let message = format!("there is a column `{}` already", new.text);
                let hint = Some("choose another; `project` can exchange two names");
                return Err(self.error_hint(new.span, message, hint));
            }
        }
        Ok(input)
    }

    pub(super) fn project_reorder(
        &mut self,
        mut input: Relation,
        order: &[Reorder],
    ) -> Bind<Relation> {
        let mut columns: Vec<BoundColumn> = Vec::new();
        for reorder in order {
            let mut matched = self.matching_one(&input, &reorder.column)?;
            matched.retain(|column| !columns.iter().any(|other| other.name == column.name));
            match reorder.order {
                None => {}
                Some(ReorderBy::Asc) => matched.sort_by(|a, b| a.name.cmp(&b.name)),
                Some(ReorderBy::Desc) => matched.sort_by(|a, b| b.name.cmp(&a.name)),
                Some(ReorderBy::GrannyAsc) => matched.sort_by_key(|column| granny(&column.name)),
                Some(ReorderBy::GrannyDesc) => {
                    matched.sort_by_key(|column| std::cmp::Reverse(granny(&column.name)))
                }
            }
            columns.extend(matched);
        }
        let rest: Vec<BoundColumn> = input
            .columns
            .iter()
            .filter(|c| !columns.iter().any(|other| other.name == c.name))
            .cloned()
            .collect();
        columns.extend(rest);
        input.columns = columns;
        Ok(input)
    }
}

/// Whether a name matches a pattern with `*`.
pub(super) fn wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A name with its numbers as numbers, as `project-reorder granny-asc` compares.
fn granny(name: &str) -> Vec<(String, u128)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(text);
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((word.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        for (pattern, name) in [
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "abc"),
            ("*b*", "abc"),
            ("a*b*c", "aXbYc"),
            ("*", ""),
        ] {
            assert!(wildcard(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*", "b"), ("*c", "ab"), ("a*a", "a"), ("a*b*c", "acb")] {
            assert!(!wildcard(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn granny_counts() {
        assert!(granny("a2") < granny("a10"));
        assert!(granny("a10b1") < granny("a10b2"));
    }
}
