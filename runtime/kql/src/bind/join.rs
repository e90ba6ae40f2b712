//! `join` and `lookup`. Source of the kinds and their columns: Kusto's documentation of the join operator.

use datafusion::common::{Column as PlanColumn, JoinType, NullEquality};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder, when};
use datafusion::prelude::lit;
use spoor_kql_syntax::ast::{BinaryOp, Expr, ExprKind, Join, Name, Span};
use spoor_kql_syntax::{Diagnostic, Fix, suggest};
use spoor_table::KustoType;

use super::naming::Projection;
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::{Bind, Binder, TokenSense};
use crate::functions;

/// Options that steer Kusto's distribution of work and change no answer.
pub(super) const HINTS: &[&str] = &[
    "hint.strategy",
    "hint.remote",
    "hint.shufflekey",
    "hint.num_partitions",
    "hint.distribution",
    "hint.spread",
];

/// The kinds of `lookup`.
pub(super) const LOOKUP_KINDS: &[&str] = &["inner", "leftouter"];

/// The kinds of join, by the names that are written.
pub(super) const KINDS: &[&str] = &[
    "fullouter",
    "inner",
    "innerunique",
    "leftanti",
    "leftouter",
    "leftsemi",
    "rightanti",
    "rightouter",
    "rightsemi",
];

/// How rows pair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    LeftAnti,
    RightSemi,
    RightAnti,
}

impl Kind {
    fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "innerunique" => Kind::InnerUnique,
            "inner" => Kind::Inner,
            "leftouter" => Kind::LeftOuter,
            "rightouter" => Kind::RightOuter,
            "fullouter" => Kind::FullOuter,
            "leftsemi" => Kind::LeftSemi,
            "anti" | "leftanti" | "leftantisemi" => Kind::LeftAnti,
            "rightsemi" => Kind::RightSemi,
            "rightanti" | "rightantisemi" => Kind::RightAnti,
            _ => return None,
        })
    }

    fn join_type(self) -> JoinType {
        match self {
            Kind::InnerUnique | Kind::Inner => JoinType::Inner,
            Kind::LeftOuter => JoinType::Left,
            Kind::RightOuter => JoinType::Right,
            Kind::FullOuter => JoinType::Full,
            Kind::LeftSemi => JoinType::LeftSemi,
            Kind::LeftAnti => JoinType::LeftAnti,
            Kind::RightSemi => JoinType::RightSemi,
            Kind::RightAnti => JoinType::RightAnti,
        }
    }

    fn keeps_left(self) -> bool {
        !matches!(self, Kind::RightSemi | Kind::RightAnti)
    }

    fn keeps_right(self) -> bool {
        !matches!(self, Kind::LeftSemi | Kind::LeftAnti)
    }

    /// Whether rows may have no left partner, so that its columns are null.
    fn may_lack_left(self) -> bool {
        matches!(self, Kind::RightOuter | Kind::FullOuter)
    }

    fn may_lack_right(self) -> bool {
        matches!(self, Kind::LeftOuter | Kind::FullOuter)
    }
}

/// A pair of columns that must be equal.
struct Key {
    left: BoundColumn,
    right: BoundColumn,
}

impl Binder<'_> {
    pub(super) fn join(
        &mut self,
        left: Relation,
        join: &Join,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let kind = match &join.kind {
            None => Kind::InnerUnique,
            Some(name) => self.join_kind(name)?,
        };
        self.check_hints(join)?;
        let right = self.tabular(&join.right, scope, None);
        let right = self.or_unknown(right)?;
        self.is_table(&right, join.right.span)?;
        let open = left.open && kind.keeps_left() || right.open && kind.keeps_right();
        let keys = self.keys(&left, &right, &join.on)?;
        let (left, right, keys) = self.same_types(left, right, keys, span)?;
        let left = if kind == Kind::InnerUnique {
            self.one_per_key(left, &keys, span)?
        } else {
            left
        };
        let plan = self.joined(&left, &right, &keys, kind, span)?;
        let mut projection = Projection::default();
        if kind.keeps_left() {
            self.side(&mut projection, &left, kind.may_lack_left(), &[], span)?;
        }
        if kind.keeps_right() {
            self.side(&mut projection, &right, kind.may_lack_right(), &[], span)?;
        }
        self.project_to(
            Relation {
                open,
                ..Relation::unordered(plan, Vec::new())
            },
            projection.exprs,
            projection.columns,
            span,
        )
    }

    pub(super) fn lookup(
        &mut self,
        left: Relation,
        join: &Join,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let kind = match join.kind.as_ref().map(|name| name.text.as_str()) {
            None | Some("leftouter") => Kind::LeftOuter,
            Some("inner") => Kind::Inner,
            Some(name) => {
                let place = join.kind.as_ref().map_or(span, |name| name.span);
                let mut problem =
                    Diagnostic::error(place, "`lookup` has the kinds leftouter and inner");
                let found = suggest(name, LOOKUP_KINDS.iter().copied());
                problem
                    .fixes
                    .extend(found.map(|found| Fix::replace(place, found)));
                return Err(self.report(problem));
            }
        };
        self.check_hints(join)?;
        let right = self.tabular(&join.right, scope, None);
        let right = self.or_unknown(right)?;
        let open = left.open || right.open;
        let keys = self.keys(&left, &right, &join.on)?;
        let (left, right, keys) = self.same_types(left, right, keys, span)?;
        let plan = self.joined(&left, &right, &keys, kind, span)?;
        let dropped: Vec<String> = keys.iter().map(|key| key.right.name.clone()).collect();
        let mut projection = Projection::default();
        self.side(&mut projection, &left, false, &[], span)?;
        self.side(
            &mut projection,
            &right,
            kind.may_lack_right(),
            &dropped,
            span,
        )?;
        self.project_to(
            Relation {
                open,
                ..Relation::unordered(plan, Vec::new())
            },
            projection.exprs,
            projection.columns,
            span,
        )
    }

    fn join_kind(&mut self, name: &Name) -> Bind<Kind> {
        Kind::named(&name.text).ok_or_else(|| {
            let message = format!("`{}` is no kind of join", name.text);
            let problem = Diagnostic::error(name.span, message);
            self.report(match suggest(&name.text, KINDS.iter().copied()) {
                Some(found) => problem.meant(found, name.span, found, &name.text),
                None => problem.hint(format!("the kinds are {}", KINDS.join(", "))),
            })
        })
    }

    fn check_hints(&mut self, join: &Join) -> Bind<()> {
        for property in &join.properties {
            if !HINTS.contains(&property.name.text.as_str()) && property.name.text != "isfuzzy" {
                let name = &property.name;
                let message = format!("`{}` is no option of a join", name.text);
                let problem = Diagnostic::error(name.span, message);
                let known = HINTS.iter().copied().chain(["kind"]);
                return Err(self.report(match suggest(&name.text, known) {
                    Some(found) => problem.meant(found, name.span, found, &name.text),
                    None => problem,
                }));
            }
        }
        Ok(())
    }

    fn keys(&mut self, left: &Relation, right: &Relation, on: &[Expr]) -> Bind<Vec<Key>> {
        let mut keys = Vec::new();
        self.each(on, |binder, expr| binder.key(left, right, expr, &mut keys))?;
        Ok(keys)
    }

    fn key(
        &mut self,
        left: &Relation,
        right: &Relation,
        expr: &Expr,
        keys: &mut Vec<Key>,
    ) -> Bind<()> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.key(left, right, inner, keys),
            ExprKind::Name(name) => {
                let place = (expr.span, Some(expr.span));
                let key = Key {
                    left: self.joined_column(left, name, place, "left")?,
                    right: self.joined_column(right, name, place, "right")?,
                };
                keys.push(key);
                Ok(())
            }
            ExprKind::Binary {
                op: BinaryOp::And,
                left: a,
                right: b,
                ..
            } => {
                self.key(left, right, a, keys)?;
                self.key(left, right, b, keys)
            }
            ExprKind::Binary {
                op: BinaryOp::Equal,
                left: a,
                right: b,
                ..
            } => {
                let (a, b) = if side_of(a) == Some("$right") {
                    (b, a)
                } else {
                    (a, b)
                };
                match (side_of(a), member(a), side_of(b), member(b)) {
                    (Some("$left"), Some((l, l_span)), Some("$right"), Some((r, r_span))) => {
                        let l = self.joined_column(left, l, (a.span, l_span), "left");
                        let (left, right) = self.both(l, |binder| {
                            binder.joined_column(right, r, (b.span, r_span), "right")
                        })?;
                        keys.push(Key { left, right });
                        Ok(())
                    }
                    _ => Err(self.bad_condition(expr.span)),
                }
            }
            _ => Err(self.bad_condition(expr.span)),
        }
    }

    fn bad_condition(&mut self, span: Span) -> super::Stop {
        let hint = Some(
            "write a column's name, or $left.a == $right.b; compute other keys with `extend` before",
        );
        self.error_hint(
            span,
            "a join's condition is equality of a left and a right column",
            hint,
        )
    }

    fn joined_column(
        &mut self,
        relation: &Relation,
        name: &str,
        (span, name_span): (Span, Option<Span>),
        side: &str,
    ) -> Bind<BoundColumn> {
        let Some(found) = relation.find(name).cloned() else {
            let message = format!("the {side} table has no column `{name}`");
            let problem = Diagnostic::error(span, message);
            let stop = self.unknown_column(relation, name, name_span.unwrap_or(span), problem);
            if let (None, Some(last)) = (name_span, self.diagnostics.last_mut()) {
                last.fixes.clear();
            }
            return Err(stop);
        };
        if let Some(span) = name_span {
            self.sense(span, TokenSense::Column);
        }
        if found.ty == KustoType::Dynamic {
            let hint = Some(format!("extend a key with tostring({name}) on both sides"));
            return Err(self.error_hint(
                span,
                format!("`{name}` is dynamic, which a join cannot compare"),
                hint,
            ));
        }
        Ok(found)
    }

    /// Both sides with keys of the same types: numbers are widened, else the types must be equal.
    fn same_types(
        &mut self,
        mut left: Relation,
        mut right: Relation,
        keys: Vec<Key>,
        span: Span,
    ) -> Bind<(Relation, Relation, Vec<Key>)> {
        let mut typed = Vec::new();
        for mut key in keys {
            if key.left.ty != key.right.ty {
                let ty = match (key.left.ty, key.right.ty) {
                    (KustoType::Int, KustoType::Long) | (KustoType::Long, KustoType::Int) => {
                        KustoType::Long
                    }
                    (a, b) => {
                        let message = format!(
                            "`{}` is {} on the left, but `{}` is {} on the right",
                            key.left.name,
                            functions::article(a),
                            key.right.name,
                            functions::article(b)
                        );
                        let hint = Some("convert one of them with `extend` before the join");
                        return Err(self.error_hint(span, message, hint));
                    }
                };
                (left, key.left) = self.hidden(left, &key.left, ty, span)?;
                (right, key.right) = self.hidden(right, &key.right, ty, span)?;
            }
            typed.push(key);
        }
        Ok((left, right, typed))
    }

    /// Adds a hidden column: another as a wider type.
    fn hidden(
        &mut self,
        relation: Relation,
        column: &BoundColumn,
        ty: KustoType,
        span: Span,
    ) -> Bind<(Relation, BoundColumn)> {
        let wide = self.implicitly(column.typed(), ty, span)?;
        let (expr, hidden) = self.computed(&column.name, &wide);
        let mut exprs: Vec<PlanExpr> = relation.columns.iter().map(BoundColumn::expr).collect();
        exprs.push(expr);
        let columns = relation.columns.clone();
        Ok((self.project_to(relation, exprs, columns, span)?, hidden))
    }

    /// One row, any, for each combination of keys.
    fn one_per_key(&mut self, left: Relation, keys: &[Key], span: Span) -> Bind<Relation> {
        let mut grouped: Vec<&str> = Vec::new();
        for key in keys {
            if !grouped.contains(&key.left.id.as_str()) {
                grouped.push(&key.left.id);
            }
        }
        let mut taken: Vec<&str> = Vec::new();
        for bound in &left.columns {
            if !grouped.contains(&bound.id.as_str()) && !taken.contains(&bound.id.as_str()) {
                taken.push(&bound.id);
            }
        }
        let by = grouped.iter().map(|id| column(id));
        let rest = taken
            .iter()
            .map(|id| first_value_udaf().call(vec![column(id)]).alias(*id));
        let plan = LogicalPlanBuilder::from(left.plan)
            .aggregate(by, rest)
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation::unordered(self.plan(span, plan)?, left.columns))
    }

    fn joined(
        &mut self,
        left: &Relation,
        right: &Relation,
        keys: &[Key],
        kind: Kind,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let columns = |ids: Vec<&String>| {
            ids.into_iter()
                .map(PlanColumn::new_unqualified)
                .collect::<Vec<_>>()
        };
        let left_keys = columns(keys.iter().map(|key| &key.left.id).collect());
        let right_keys = columns(keys.iter().map(|key| &key.right.id).collect());
        // Kusto's joins pair nulls with nulls.
        let plan = LogicalPlanBuilder::from(left.plan.clone())
            .join_detailed(
                right.plan.clone(),
                kind.join_type(),
                (left_keys, right_keys),
                None,
                NullEquality::NullEqualsNull,
            )
            .and_then(LogicalPlanBuilder::build);
        self.plan(span, plan)
    }

    /// Adds one side's columns: strings that may be missing are empty, not null.
    pub(super) fn side(
        &mut self,
        projection: &mut Projection,
        side: &Relation,
        may_lack: bool,
        without: &[String],
        span: Span,
    ) -> Bind<()> {
        for column in side
            .columns
            .iter()
            .filter(|column| !without.contains(&column.name))
        {
            if may_lack && column.ty == KustoType::String {
                let filled = self.filled(column, span)?;
                let id = self.id();
                let own = BoundColumn {
                    id: id.clone(),
                    ..column.clone()
                };
                self.bases
                    .extend(self.base_of(column).map(|base| (id.clone(), base)));
                self.add_numbered(projection, filled.alias(&id), own);
            } else {
                self.add_numbered(projection, column.expr(), column.clone());
            }
        }
        Ok(())
    }

    /// Adds a column under its name, or where that is taken under one with a number, which counts on from join to join.
    fn add_numbered(&mut self, projection: &mut Projection, expr: PlanExpr, column: BoundColumn) {
        let base = self.base_of(&column).unwrap_or_else(|| column.name.clone());
        let id = column.id.clone();
        projection.add(expr, column, &base);
        if projection
            .columns
            .last()
            .is_some_and(|last| last.name != base)
        {
            self.bases.insert(id, base);
        }
    }

    /// What a column was called before a join gave it a number.
    fn base_of(&self, column: &BoundColumn) -> Option<String> {
        let base = self.bases.get(&column.id)?;
        let number = column.name.strip_prefix(base.as_str())?;
        let counts = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        counts.then(|| base.clone())
    }

    /// A string column with empty strings for nulls.
    pub(super) fn filled(&mut self, column: &BoundColumn, span: Span) -> Bind<PlanExpr> {
        let filled = when(column.expr().is_null(), lit("")).otherwise(column.expr());
        filled.map_err(|error| self.internal(span, error))
    }
}

/// `$left` or `$right` of `$left.x`.
fn side_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Paren(inner) => side_of(inner),
        ExprKind::Member { base, .. } | ExprKind::Index { base, .. } => match &base.kind {
            ExprKind::Name(name) if name.starts_with('$') => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// `x` of `$left.x`, and its place where another name can stand.
fn member(expr: &Expr) -> Option<(&str, Option<Span>)> {
    match &expr.kind {
        ExprKind::Paren(inner) => member(inner),
        ExprKind::Member { name, .. } => Some((&name.text, Some(name.span))),
        ExprKind::Index { index, .. } => match &index.kind {
            ExprKind::Literal(spoor_kql_syntax::ast::Literal::String(name)) => Some((name, None)),
            _ => None,
        },
        _ => None,
    }
}
