//! `arg_max`, `arg_min` and `take_any`: columns of one chosen row of each group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use spoor_table::KustoType;

use super::Bound;
use super::udaf::{Shape, State, call};
use crate::functions::args::{P, accept, count};
use crate::typed::{
    AggregateOutput, AggregateTyped, BindContext, FunctionError, OutputName, Typed,
};

pub(super) fn bind(_: &BindContext, args: &[Typed], max: bool) -> Bound {
    count(args, 1, usize::MAX)?;
    if args[0].ty == KustoType::Dynamic {
        return Err(FunctionError::new("dynamic values have no order")
            .at(0)
            .hint("convert it, for example with todatetime() or tolong()"));
    }
    let names = (0..args.len()).map(OutputName::Argument);
    let name = if max { "arg_max" } else { "arg_min" };
    Ok(choose(name, &args[0].expr, args, names, None))
}

pub(super) fn bind_any(_: &BindContext, args: &[Typed], prefix: &'static str) -> Bound {
    count(args, 1, usize::MAX)?;
    let key = match args {
        // One column: a value is preferred to a null.
        [one] => Expr::IsNotNull(Box::new(one.expr.clone())),
        _ => lit(true),
    };
    let names = (0..args.len()).map(|at| name_of(prefix, at, args.len()));
    Ok(choose("take_any", &key, args, names, None))
}

pub(super) fn bind_any_if(ctx: &BindContext, args: &[Typed], prefix: &'static str) -> Bound {
    count(args, 2, 2)?;
    let filter = accept(ctx, &args[1], P::Bool, 1)?.expr;
    let key = Expr::IsNotNull(Box::new(args[0].expr.clone()));
    Ok(choose(
        "take_any",
        &key,
        &args[..1],
        [name_of(prefix, 0, 1)].into_iter(),
        Some(filter),
    ))
}

fn name_of(prefix: &'static str, at: usize, count: usize) -> OutputName {
    if prefix.is_empty() || count > 1 {
        OutputName::Argument(at)
    } else {
        OutputName::Prefix(prefix)
    }
}

fn choose(
    name: &'static str,
    key: &Expr,
    columns: &[Typed],
    names: impl Iterator<Item = OutputName>,
    filter: Option<Expr>,
) -> AggregateTyped {
    let fields: Fields = columns
        .iter()
        .enumerate()
        .map(|(at, c)| Field::new(format!("c{at}"), c.ty.arrow(), true))
        .collect();
    let least = u64::from(name == "arg_min");
    let key_type = if name == "take_any" {
        KustoType::Bool
    } else {
        columns[0].ty
    };
    let mut args = vec![key.clone()];
    args.extend(columns.iter().map(|column| column.expr.clone()));
    let mut state = vec![key_type.arrow()];
    state.extend(columns.iter().map(|column| column.ty.arrow()));
    let shape = Shape {
        args: std::iter::once(key_type)
            .chain(columns.iter().map(|c| c.ty))
            .collect(),
        options: vec![least],
        ret: DataType::Struct(fields.clone()),
        state,
    };
    let chosen = call(
        name,
        shape,
        |shape| Ok(Box::new(Chosen::new(shape)?)),
        args,
        filter,
    );
    let outputs = columns
        .iter()
        .zip(names)
        .enumerate()
        .map(|(at, (column, name))| AggregateOutput {
            name,
            value: Typed::new(field_of(chosen.clone(), at, &column.ty), column.ty),
        });
    AggregateTyped {
        outputs: outputs.collect(),
    }
}

/// Takes one field out of the row that was chosen.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FieldOf {
    at: usize,
    ty: KustoType,
    signature: Signature,
}

fn field_of(chosen: Expr, at: usize, ty: &KustoType) -> Expr {
    let udf = FieldOf {
        at,
        ty: *ty,
        signature: Signature::any(1, Volatility::Immutable),
    };
    Expr::ScalarFunction(ScalarFunction::new_udf(
        Arc::new(ScalarUDF::new_from_impl(udf)),
        vec![chosen],
    ))
}

impl ScalarUDFImpl for FieldOf {
    fn name(&self) -> &str {
        "field_of"
    }

    // Two fields of one row are two expressions, which their names must tell apart.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let of = args
            .first()
            .map(|arg| arg.schema_name().to_string())
            .unwrap_or_default();
        Ok(format!("field_of({of},{})", self.at))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.ty.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args
            .args
            .first()
            .map(|arg| arg.to_array(args.number_rows))
            .transpose()?;
        let column = array
            .as_ref()
            .and_then(|a| a.as_any().downcast_ref::<StructArray>())
            .map(|s| s.columns());
        match column.and_then(|columns| columns.get(self.at)) {
            Some(column) => Ok(ColumnarValue::Array(column.clone())),
            None => internal_err!("a chosen row has no field {}", self.at),
        }
    }
}

/// Rows kept beyond those in use before the ones in use are copied out.
const SLACK: usize = 65_536;

struct Chosen {
    converter: RowConverter,
    key: DataType,
    fields: Fields,
    /// Columns of the rows kept, the key first, batch by batch.
    kept: Vec<Vec<ArrayRef>>,
    kept_rows: usize,
    /// Each group's best key in comparable form, and where its row is.
    best: Vec<Option<(OwnedRow, usize, usize)>>,
}

impl Chosen {
    fn new(shape: &Shape) -> Result<Self> {
        // Nulls come last in preference, whichever end is wanted.
        let order = arrow::compute::SortOptions {
            descending: shape.options[0] == 1,
            nulls_first: true,
        };
        let DataType::Struct(fields) = &shape.ret else {
            return internal_err!("a chosen row is a struct");
        };
        Ok(Chosen {
            converter: RowConverter::new(vec![SortField::new_with_options(
                shape.args[0].arrow(),
                order,
            )])?,
            key: shape.args[0].arrow(),
            fields: fields.clone(),
            kept: Vec::new(),
            kept_rows: 0,
            best: Vec::new(),
        })
    }

    fn take_in(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        let rows = self.converter.convert_columns(&values[..1])?;
        let batch = self.kept.len();
        let mut used = false;
        for (row, group) in groups.iter().enumerate() {
            if !keep(row) {
                continue;
            }
            let key = rows.row(row);
            match &mut self.best[*group] {
                Some((best, _, _)) if key <= best.row() => {}
                slot => {
                    *slot = Some((key.owned(), batch, row));
                    used = true;
                }
            }
        }
        if used {
            self.kept.push(values.to_vec());
            self.kept_rows += groups.len();
            if self.kept_rows > SLACK + 2 * self.best.len() {
                self.compact()?;
            }
        }
        Ok(())
    }

    /// The rows of some groups as columns, the key first; a group without rows is null.
    fn gather(&self, best: &[Option<(OwnedRow, usize, usize)>]) -> Result<Vec<ArrayRef>> {
        let types =
            std::iter::once(&self.key).chain(self.fields.iter().map(|field| field.data_type()));
        let columns = types.enumerate().map(|(at, ty)| {
            let mut sources: Vec<&dyn Array> =
                self.kept.iter().map(|batch| batch[at].as_ref()).collect();
            let null = arrow::array::new_null_array(ty, 1);
            let missing = sources.len();
            sources.push(null.as_ref());
            let picks: Vec<(usize, usize)> = best
                .iter()
                .map(|slot| {
                    slot.as_ref()
                        .map_or((missing, 0), |(_, batch, row)| (*batch, *row))
                })
                .collect();
            Ok(interleave(&sources, &picks)?)
        });
        columns.collect()
    }

    /// Copies the rows in use out of the batches they came in.
    fn compact(&mut self) -> Result<()> {
        let columns = self.gather(&self.best)?;
        for (at, slot) in self.best.iter_mut().enumerate() {
            if let Some((_, batch, row)) = slot {
                (*batch, *row) = (0, at);
            }
        }
        self.kept_rows = self.best.len();
        self.kept = vec![columns];
        Ok(())
    }

    fn leave(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let leaving: Vec<_> = self.best.drain(..count).collect();
        let columns = self.gather(&leaving)?;
        if self.best.is_empty() {
            self.kept.clear();
            self.kept_rows = 0;
        }
        Ok(columns)
    }
}

impl State for Chosen {
    fn grow(&mut self, count: usize) {
        self.best.resize_with(count, || None);
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        self.take_in(values, groups, keep)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) -> Result<()> {
        self.take_in(states, groups, &|_| true)
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        let mut columns = self.leave(count)?;
        columns.remove(0);
        Ok(Arc::new(StructArray::try_new(
            self.fields.clone(),
            columns,
            None,
        )?))
    }

    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        self.leave(count)
    }

    fn size(&self) -> usize {
        let arrays: usize = self
            .kept
            .iter()
            .flatten()
            .map(|array| array.get_array_memory_size() / 8)
            .sum();
        arrays + self.best.capacity() * 64
    }
}
