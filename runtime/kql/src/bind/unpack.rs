//! `evaluate bag_unpack(...)`: the properties of bags as columns. Which there are is known once the bags have been read, so a part
//! of the query runs first, unless the query says the columns itself.

use std::collections::BTreeMap;

use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder};
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{Argument, EvaluateSchema, ExprKind, Span};
use spoor_table::{KustoType, Value};

use super::naming::Projection;
use super::relation::{BoundColumn, Relation};
use super::scope::Scope;
use super::{Bind, Binder, Mode, Stop};
use crate::functions::{self, operators};
use crate::typed::{BindContext, Typed};

/// Columns that bags may become: more are no table that anyone reads.
pub(super) const MOST_COLUMNS: usize = 2000;

/// What becomes of a property that is called as a column of the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    ReplaceSource,
    KeepSource,
}

/// What `bag_unpack` is given besides its column.
struct Unpacking {
    prefix: String,
    conflict: Conflict,
    ignored: Vec<String>,
}

impl Binder<'_> {
    pub(super) fn bag_unpack(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        schema: Option<&EvaluateSchema>,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let input = self.without_stand_ins(input, span)?;
        let Some((first, options)) = arguments.split_first() else {
            return Err(self.error(span, "bag_unpack takes a dynamic column"));
        };
        let ExprKind::Name(name) = &first.value.kind else {
            return Err(self.error(first.value.span, "bag_unpack takes a column's name"));
        };
        let bag = self.column_named(&input, name, first.value.span)?;
        if bag.ty != KustoType::Dynamic {
            let message = format!("`{name}` is {}, not dynamic", functions::article(bag.ty));
            let hint = Some("read it with parse_json() first");
            return Err(self.error_hint(first.value.span, message, hint));
        }
        let unpacking = self.unpacking(options, scope)?;
        let mut open = input.open;
        let mut own = true;
        let properties = match schema {
            Some(schema) => {
                own = schema.input;
                self.declared_properties(&input, &bag, schema, &unpacking)?
            }
            None => {
                open |= self.mode != Mode::Run;
                self.properties(&input, &bag, span)?
            }
        };
        let mut relation = self.unpacked(input, &bag, properties, &unpacking, own, span)?;
        relation.open = open;
        Ok(relation)
    }

    fn unpacking(&mut self, options: &[Argument], scope: &Scope) -> Bind<Unpacking> {
        const NAMES: [&str; 3] = ["OutputColumnPrefix", "columnsConflict", "ignoredProperties"];
        let mut unpacking = Unpacking {
            prefix: String::new(),
            conflict: Conflict::Error,
            ignored: Vec::new(),
        };
        for (at, option) in options.iter().enumerate() {
            let span = option.value.span;
            let name = match &option.name {
                Some(name) => name.text.as_str(),
                None => NAMES.get(at).copied().unwrap_or_default(),
            };
            match (name, self.constant(&option.value, scope, "an option")?) {
                ("OutputColumnPrefix", Value::String(prefix)) => unpacking.prefix = prefix,
                ("columnsConflict", Value::String(conflict)) => {
                    unpacking.conflict = match conflict.as_str() {
                        "error" | "" => Conflict::Error,
                        "replace_source" => Conflict::ReplaceSource,
                        "keep_source" => Conflict::KeepSource,
                        _ => {
                            let hint = Some("use error, replace_source or keep_source");
                            return Err(self.error_hint(span, "this is no way to settle it", hint));
                        }
                    }
                }
                ("ignoredProperties", Value::Dynamic(ignored)) => {
                    unpacking.ignored = texts(&ignored);
                }
                _ => {
                    let problem = Diagnostic::error(span, "bag_unpack has no such option")
                        .hint("it takes OutputColumnPrefix, columnsConflict and ignoredProperties");
                    return Err(self.report(problem));
                }
            }
        }
        Ok(unpacking)
    }

    /// The bags' properties with their types, by running a part of the query.
    fn properties(
        &mut self,
        input: &Relation,
        bag: &BoundColumn,
        span: Span,
    ) -> Bind<Vec<(String, KustoType)>> {
        let described = functions::bag_columns(&bag.typed());
        let set = functions::aggregate("make_set")
            .map(|set| (set.bind)(&BindContext::default(), &[described]));
        let Some(set) = set else {
            return Err(Stop::Reported);
        };
        let id = self.id();
        let outputs = self.applied(set, span, &[])?.outputs;
        let exprs: Vec<PlanExpr> = outputs
            .into_iter()
            .map(|output| output.value.expr.alias(&id))
            .collect();
        let none: Vec<PlanExpr> = Vec::new();
        let plan = LogicalPlanBuilder::from(input.plan.clone())
            .aggregate(none, exprs)
            .and_then(LogicalPlanBuilder::build);
        let column = BoundColumn {
            name: "properties".to_owned(),
            ty: KustoType::Dynamic,
            id,
        };
        let relation = Relation::unordered(self.plan(span, plan)?, vec![column]);
        let table = self.stage(relation, span)?;
        let described = match table.rows() {
            0 => Vec::new(),
            _ => match table.value(0, 0) {
                Value::Dynamic(described) => texts(&described),
                _ => Vec::new(),
            },
        };
        let mut properties: BTreeMap<String, Option<KustoType>> = BTreeMap::new();
        for text in described {
            let Some((key, ty)) = functions::bag_column(&text) else {
                continue;
            };
            let known = properties.entry(key.to_owned()).or_default();
            *known = merged(*known, ty);
        }
        if properties.len() > MOST_COLUMNS {
            let message = format!(
                "these bags have {} different properties, and a table may have {MOST_COLUMNS} of them",
                properties.len()
            );
            let hint = Some("say which with `: (*, name: type)`, or expand them with mv-expand");
            return Err(self.error_hint(span, message, hint));
        }
        let typed =
            |(key, ty): (String, Option<KustoType>)| (key, ty.unwrap_or(KustoType::Dynamic));
        Ok(properties.into_iter().map(typed).collect())
    }

    /// The properties that the query says itself.
    fn declared_properties(
        &mut self,
        input: &Relation,
        bag: &BoundColumn,
        schema: &EvaluateSchema,
        unpacking: &Unpacking,
    ) -> Bind<Vec<(String, KustoType)>> {
        let declared = self.declared_columns(&schema.columns)?;
        let own = |name: &str| name != bag.name && !schema.input && input.find(name).is_some();
        let properties = declared.iter().filter(|column| !own(&column.name));
        Ok(properties
            .filter_map(|column| {
                let key = column.name.strip_prefix(unpacking.prefix.as_str())?;
                Some((key.to_owned(), column.ty))
            })
            .collect())
    }

    fn unpacked(
        &mut self,
        input: Relation,
        bag: &BoundColumn,
        properties: Vec<(String, KustoType)>,
        unpacking: &Unpacking,
        own: bool,
        span: Span,
    ) -> Bind<Relation> {
        // A property that is called as the bag itself takes its place.
        let is_again = properties.iter().any(|(key, _)| {
            !unpacking.ignored.contains(key) && format!("{}{key}", unpacking.prefix) == bag.name
        });
        let kept: Vec<BoundColumn> = input
            .columns
            .iter()
            .filter(|column| own && (is_again || column.name != bag.name))
            .cloned()
            .collect();
        let mut projection = Projection::of(&kept);
        let context = self.constant_row(&Scope::root()).context;
        for (key, ty) in properties {
            if unpacking.ignored.contains(&key) {
                continue;
            }
            let name = format!("{}{key}", unpacking.prefix);
            if name != bag.name && kept.iter().any(|column| column.name == name) {
                match unpacking.conflict {
                    Conflict::KeepSource => continue,
                    Conflict::ReplaceSource => {}
                    Conflict::Error => {
                        let message = format!(
                            "the bags have a property `{key}`, and a column is called `{name}`"
                        );
                        let hint = "say columnsConflict='replace_source' or 'keep_source', or give a prefix";
                        return Err(self.error_hint(span, message, Some(hint)));
                    }
                }
            }
            let key = functions::literal(Value::String(key));
            let value = operators::element(&context, bag.typed(), key);
            let value: Typed = self.applied(value, span, &[])?;
            let value = match ty {
                KustoType::Dynamic => value,
                ty => {
                    let converted = functions::convert(&context, value, ty);
                    self.applied(converted, span, &[])?
                }
            };
            let (expr, column) = self.computed(&name, &value);
            projection.declare(expr, column);
        }
        self.project_to(input, projection.exprs, projection.columns, span)
    }
}

/// The one type of a property that comes with several.
fn merged(known: Option<KustoType>, found: Option<KustoType>) -> Option<KustoType> {
    match (known, found) {
        (None, ty) | (ty, None) => ty,
        (Some(a), Some(b)) if a == b => Some(a),
        (Some(KustoType::Long | KustoType::Real), Some(KustoType::Long | KustoType::Real)) => {
            Some(KustoType::Real)
        }
        _ => Some(KustoType::Dynamic),
    }
}

/// The texts in a dynamic array.
fn texts(value: &spoor_table::Dynamic) -> Vec<String> {
    let items = value.view().as_array();
    let texts = items.iter().flat_map(|items| items.iter());
    texts
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
