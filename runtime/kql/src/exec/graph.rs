//! Graphs, made of tables while a query is bound: nodes and edges get numbers, so that patterns are joins on them. Source: Kusto's
//! pages on make-graph and graph-mark-components.

use std::collections::HashMap;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array, new_null_array,
};
use arrow::compute::{concat, concat_batches, filter_record_batch, kernels::cmp::neq, take};
use arrow::datatypes::{DataType, Int64Type};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{DataFusionError, Result};
use spoor_table::{Column, KustoType, Table};

/// The hidden columns, which no query can name: a node's number and its key; an edge's, and the numbers of its nodes.
pub(crate) const NODE: &str = "#node";
pub(crate) const KEY: &str = "#key";
pub(crate) const EDGE: &str = "#edge";
pub(crate) const SOURCE: &str = "#source";
pub(crate) const TARGET: &str = "#target";

/// A graph: its nodes (`NODE`, `KEY`, then their properties), and its edges (`EDGE`, `SOURCE`, `TARGET`, then theirs).
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Table,
    pub(crate) edges: Table,
}

/// Rows of which one column names nodes.
pub(crate) struct Keyed {
    pub(crate) table: Table,
    pub(crate) key: usize,
}

impl Graph {
    /// A graph of edges between what two of their columns name. Nodes that no table has are those of the edges alone; `node_id`
    /// names a property that is every node's key.
    pub(crate) fn new(
        edges: &Table,
        [source, target]: [usize; 2],
        nodes: &[Keyed],
        node_id: Option<&str>,
    ) -> Result<Graph> {
        let rows = whole(edges)?;
        let ends = [rows.column(source), rows.column(target)];
        let mut keys: Vec<ArrayRef> = Vec::new();
        for keyed in nodes {
            keys.push(whole(&keyed.table)?.column(keyed.key).clone());
        }
        keys.extend(ends.map(Clone::clone));
        let listed: Vec<&dyn Array> = keys.iter().map(AsRef::as_ref).collect();
        let keys = concat(&listed)?;
        let (numbers, firsts) = numbered(&keys)?;
        let told = keys.len() - 2 * rows.num_rows();
        let number_of = |from: usize| -> ArrayRef {
            let of = numbers.iter().skip(from).take(rows.num_rows());
            std::sync::Arc::new(Int64Array::from_iter_values(of.copied()))
        };
        let mut arrays = vec![
            counted(rows.num_rows()),
            number_of(told),
            number_of(told + rows.num_rows()),
        ];
        arrays.extend(rows.columns().iter().cloned());
        let hidden = [EDGE, SOURCE, TARGET].map(|name| Column::new(name, KustoType::Long));
        let columns = hidden.into_iter().chain(edges.columns().iter().cloned());
        let key = edges
            .columns()
            .get(source)
            .map_or(KustoType::String, |c| c.ty);
        Ok(Graph {
            edges: table(columns.collect(), arrays)?,
            nodes: node_table(nodes, &keys, key, &firsts, node_id)?,
        })
    }

    /// The graph with its edges twice, once each way; an edge from a node to itself stays one.
    pub(crate) fn both_ways(&self) -> Result<Table> {
        let rows = whole(&self.edges)?;
        let mut back = rows.columns().to_vec();
        back.swap(1, 2);
        let back = RecordBatch::try_new(rows.schema(), back)?;
        let loops = neq(rows.column(1), rows.column(2))?;
        let back = filter_record_batch(&back, &loops)?;
        made(Table::try_new(
            self.edges.shared_columns(),
            vec![rows, back],
        ))
    }

    /// The graph whose nodes have one more property: the number of the component that they belong to.
    pub(crate) fn with_components(&self, name: &str, strong: bool) -> Result<Graph> {
        let edges = whole(&self.edges)?;
        let ends = |at: usize| {
            edges
                .column(at)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        };
        let pairs: Vec<(usize, usize)> = ends(1)
            .into_iter()
            .zip(ends(2))
            .map(|(from, to)| (from as usize, to as usize))
            .collect();
        let found = match strong {
            true => strong_components(self.nodes.rows(), &pairs),
            false => weak_components(self.nodes.rows(), &pairs),
        };
        let nodes = whole(&self.nodes)?;
        let mut arrays = nodes.columns().to_vec();
        arrays.push(std::sync::Arc::new(Int64Array::from(in_order(&found))));
        let mut columns = self.nodes.columns().to_vec();
        columns.push(Column::new(name, KustoType::Long));
        Ok(Graph {
            nodes: table(columns, arrays)?,
            edges: self.edges.clone(),
        })
    }
}

/// Each key's number, equal keys having one, and the row in which each number comes first.
fn numbered(keys: &ArrayRef) -> Result<(Vec<i64>, Vec<u32>)> {
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let rows: Rows = converter.convert_columns(std::slice::from_ref(keys))?;
    let mut known: HashMap<&[u8], i64> = HashMap::new();
    let (mut numbers, mut firsts) = (Vec::with_capacity(keys.len()), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let next = firsts.len() as i64;
        let number = *known.entry(row.data()).or_insert(next);
        if number == next {
            firsts.push(at as u32);
        }
        numbers.push(number);
    }
    Ok((numbers, firsts))
}

/// The nodes: of each the row that told of it first, with nothing in the columns of other tables.
fn node_table(
    nodes: &[Keyed],
    keys: &ArrayRef,
    key: KustoType,
    firsts: &[u32],
    node_id: Option<&str>,
) -> Result<Table> {
    let firsts = UInt32Array::from(firsts.to_vec());
    let own = take(keys, &firsts, None)?;
    let mut columns = vec![Column::new(NODE, KustoType::Long), Column::new(KEY, key)];
    let mut arrays = vec![counted(firsts.len()), own.clone()];
    if let Some(name) = node_id {
        columns.push(Column::new(name, key));
        arrays.push(own);
    }
    for (of, keyed) in nodes.iter().enumerate() {
        for (at, column) in keyed.table.columns().iter().enumerate() {
            if columns.iter().any(|known| known.name == column.name) {
                continue;
            }
            // A node that only edges tell of has the key that they know it by.
            let rest = (of == 0 && at == keyed.key).then_some(keys);
            let values = values_of(nodes, &column.name, keys.len(), rest, column)?;
            columns.push(column.clone());
            arrays.push(take(&values, &firsts, None)?);
        }
    }
    table(columns, arrays)
}

/// A column's values in all of the tables, one after the other, and in the ends of edges.
fn values_of(
    nodes: &[Keyed],
    name: &str,
    total: usize,
    rest: Option<&ArrayRef>,
    column: &Column,
) -> Result<ArrayRef> {
    let ty: DataType = column.field().data_type().clone();
    let mut parts: Vec<ArrayRef> = Vec::new();
    let mut told = 0;
    for keyed in nodes {
        let rows = keyed.table.rows();
        told += rows;
        parts.push(match keyed.table.index_of(name) {
            Some(at) => whole(&keyed.table)?.column(at).clone(),
            None => new_null_array(&ty, rows),
        });
    }
    parts.push(match rest {
        Some(keys) => keys.slice(told, total - told),
        None => new_null_array(&ty, total - told),
    });
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(concat(&parts)?)
}

/// For each node, one of the nodes that it is connected with, whichever way the edges lead.
fn weak_components(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..nodes).collect();
    fn root(parents: &mut [usize], mut at: usize) -> usize {
        while parents[at] != at {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        at
    }
    for (from, to) in edges {
        let (from, to) = (root(&mut parents, *from), root(&mut parents, *to));
        parents[from.max(to)] = from.min(to);
    }
    (0..nodes).map(|at| root(&mut parents, at)).collect()
}

/// For each node, one of the nodes that it reaches and that reach it: first the nodes in the order in which a search leaves them,
/// then searches against the edges, from the last one on.
fn strong_components(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let (mut ahead, mut back) = (vec![Vec::new(); nodes], vec![Vec::new(); nodes]);
    for (from, to) in edges {
        ahead[*from].push(*to);
        back[*to].push(*from);
    }
    let mut left = Vec::with_capacity(nodes);
    let mut seen = vec![false; nodes];
    for start in 0..nodes {
        search(start, &ahead, &mut seen, &mut |node| left.push(node));
    }
    let mut components = vec![0; nodes];
    let mut seen = vec![false; nodes];
    for start in left.into_iter().rev() {
        search(start, &back, &mut seen, &mut |node| {
            components[node] = start
        });
    }
    components
}

/// Goes to every node that has not been seen, and tells of each when it is left.
fn search(start: usize, edges: &[Vec<usize>], seen: &mut [bool], left: &mut dyn FnMut(usize)) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut path = vec![(start, 0)];
    while let Some((node, at)) = path.last_mut() {
        let next = edges[*node].get(*at).copied();
        *at += 1;
        match next {
            Some(next) if !std::mem::replace(&mut seen[next], true) => path.push((next, 0)),
            Some(_) => {}
            None => {
                left(*node);
                path.pop();
            }
        }
    }
}

/// Numbers from 0 on, in the order in which the components come.
fn in_order(components: &[usize]) -> Vec<i64> {
    let mut known: HashMap<usize, i64> = HashMap::new();
    components
        .iter()
        .map(|component| {
            let next = known.len() as i64;
            *known.entry(*component).or_insert(next)
        })
        .collect()
}

fn counted(rows: usize) -> ArrayRef {
    std::sync::Arc::new(Int64Array::from_iter_values(0..rows as i64))
}

fn whole(table: &Table) -> Result<RecordBatch> {
    Ok(concat_batches(table.schema(), table.batches())?)
}

fn table(columns: Vec<Column>, arrays: Vec<ArrayRef>) -> Result<Table> {
    let empty = Table::empty(columns);
    let fields = arrays.iter().zip(empty.schema().fields());
    let fields = fields.map(|(array, field)| {
        let field = field.as_ref().clone();
        field
            .with_data_type(array.data_type().clone())
            .with_nullable(true)
    });
    let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
    let batch = RecordBatch::try_new(std::sync::Arc::new(schema), arrays)?;
    made(Table::try_new(empty.shared_columns(), vec![batch]))
}

fn made(table: std::result::Result<Table, spoor_table::TableError>) -> Result<Table> {
    table.map_err(|error| DataFusionError::Internal(error.to_string()))
}
