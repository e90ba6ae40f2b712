//! Rare command lines: what an intruder runs is run seldom, but so is every command line with a number in it. Grouped by
//! template, with what varies by nature masked, the rare ones are few enough to read.
//!
//! [`tokens`] splits a command line, [`mask`] replaces what varies by nature, [`cluster`] counts templates and joins those
//! that differ in one value. Counting the rarest is least frequency of occurrence ("stacking", as hunters have it); that a
//! log line is a template with variables, found from position and tokens, is Drain's (He et al. 2017) and IPLoM's
//! (Makanju et al. 2009). Unlike Drain's tree this grouping does not depend on the rows' order.

pub mod cluster;
pub mod mask;
pub mod tokens;
mod value;
mod words;

use spoor_plugin::{At, Input, Output, Rows, function, plugin};

use crate::cluster::{Clusters, Group};

/// A process that was started.
#[derive(Input)]
pub struct Started<'a> {
    /// Its command line. Empty text is none.
    pub command_line: &'a str,
    /// The host that it ran on. Empty text is none.
    #[input(optional)]
    pub host: Option<&'a str>,
}

/// How rare a row's command line is.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Rare {
    /// The command line with what varies masked: `<n>` numbers, `<hex>`, `<guid>`, `<sid>`, `<ip>`, `<b64>`, `<id>` mixes of
    /// letters and digits, `<user>` folders of users, `<*>` other values of which there are many. At most 512 bytes.
    pub template: String,
    /// The program: the first token's file name, in lower case.
    pub program: String,
    /// Rows with the template.
    pub template_count: i64,
    /// Hosts with the template. Null where no row says its host.
    pub template_hosts: Option<i64>,
    /// Rows with the program.
    pub program_count: i64,
    /// Bits: -log2 of the template's share of all rows. 0 where all rows have it, 10 for one in a thousand.
    pub rarity: f64,
    /// Bits: -log2 of the template's share of the program's rows. High for an unusual use of a usual program.
    pub rarity_in_program: f64,
}

/// A template and what has it.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Template<'a> {
    /// The template, as in `rare_commands`.
    pub template: String,
    /// The program: the first token's file name, in lower case.
    pub program: String,
    /// Rows with the template.
    pub count: i64,
    /// Hosts with the template. Null where no row says its host.
    pub hosts: Option<i64>,
    /// How many different command lines it covers.
    pub variants: i64,
    /// Bits: -log2 of the template's share of all rows.
    pub rarity: f64,
    /// Bits: -log2 of the template's share of the program's rows.
    pub rarity_in_program: f64,
    /// The first command line with it.
    pub example: &'a str,
}

/// Rows whose command line is rare.
///
/// Command lines are grouped by template; a row comes back if its template has at most `most` rows, with how rare it is.
/// Rows without a command line are left out.
#[function]
pub fn rare_commands(
    rows: Rows<'_, Started<'_>>,
    /// The most rows that a rare template may have. Without it all rows come back.
    #[option(default = None)]
    most: Option<i64>,
    /// From how many different values on a token is `<*>` where all others are the same; at least 2.
    #[option(default = 5)]
    variants: i64,
) -> Result<Vec<At<Rare>>, String> {
    let clusters = Clusters::of(rows.iter(), least_variants(variants)?);
    let most = most.unwrap_or(i64::MAX);
    let members = clusters.members().filter(|(_, group)| group.rows <= most);
    Ok(members
        .map(|(row, group)| At {
            row,
            value: rare(&clusters, group),
        })
        .collect())
}

/// The templates of command lines, the rarest first.
///
/// One row for each template, with an example. Rows without a command line are left out.
#[function]
pub fn command_templates<'a>(
    rows: Rows<'a, Started<'a>>,
    /// From how many different values on a token is `<*>` where all others are the same; at least 2.
    #[option(default = 5)]
    variants: i64,
) -> Result<Vec<Template<'a>>, String> {
    let clusters = Clusters::of(rows.iter(), least_variants(variants)?);
    let mut groups: Vec<&Group<'a>> = clusters.groups().collect();
    groups.sort_by_key(|group| (group.rows, group.first));
    Ok(groups
        .into_iter()
        .map(|group| {
            let rare = rare(&clusters, group);
            Template {
                template: rare.template,
                program: rare.program,
                count: group.rows,
                hosts: rare.template_hosts,
                variants: group.variants,
                rarity: rare.rarity,
                rarity_in_program: rare.rarity_in_program,
                example: group.example,
            }
        })
        .collect())
}

fn least_variants(variants: i64) -> Result<usize, String> {
    match usize::try_from(variants) {
        Ok(variants) if variants >= 2 => Ok(variants),
        _ => Err(format!("variants is {variants}: give 2 or more")),
    }
}

fn rare(clusters: &Clusters<'_>, group: &Group<'_>) -> Rare {
    let of_program = clusters.rows_of(&group.program);
    Rare {
        template: group.template.clone(),
        program: group.program.clone(),
        template_count: group.rows,
        template_hosts: clusters.has_hosts().then_some(group.hosts),
        program_count: of_program,
        rarity: bits(group.rows, clusters.rows()),
        rarity_in_program: bits(group.rows, of_program),
    }
}

/// -log2 of a share; 0 for all.
fn bits(part: i64, whole: i64) -> f64 {
    (whole as f64 / part.max(1) as f64).log2().max(0.0)
}

plugin! {
    name: "commandlines",
    functions: [rare_commands, command_templates],
}
