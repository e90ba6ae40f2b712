//! `#[function]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::visit_mut::{VisitMut, visit_lifetime_mut, visit_type_reference_mut};
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ItemFn, Lifetime, Pat, PatType,
    PathArguments, PathSegment, Result, ReturnType, Type, TypeReference, parse_quote,
};

use crate::docs;
use crate::row::plain;

/// What a function takes its table as.
// There is one at a time, while a plugin compiles.
#[allow(clippy::large_enum_variant)]
enum Table {
    /// `row: T`.
    Row(Type),
    /// `row: T, out: &mut Sink<'_, O>`: the row, and what the sink takes.
    Into(Type, Type),
    /// `rows: Rows<'_, T>`: the row.
    Whole(Type),
    /// Nothing.
    None,
}

/// A parameter that is an option.
struct Choice {
    name: Ident,
    ty: Type,
    /// JSON; empty where it has to be given.
    default: String,
    docs: String,
}

/// The name of the constant that describes a function.
pub fn constant(function: &Ident) -> Ident {
    format_ident!("__SPOOR_FUNCTION_{}", function)
}

pub fn expand(attribute: TokenStream, mut of: ItemFn) -> Result<TokenStream> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(
            attribute,
            "`#[function]` takes nothing: the signature says it all",
        ));
    }
    let (summary, docs) = docs::summary(&of.attrs);
    if summary.is_empty() {
        return Err(Error::new_spanned(
            &of.sig.ident,
            "document the function: the first paragraph of its doc comment is the manifest's summary",
        ));
    }
    let (table, options) = parameters(&mut of)?;
    let described = Described::new(&table, &of.sig.output)?;
    let run = run(&of.sig.ident, &table, &options);
    let name = plain(&of.sig.ident);
    let constant = constant(&of.sig.ident);
    let visibility = &of.vis;
    let Described {
        input,
        columns,
        rows,
        output,
    } = described;
    let options = options.iter().map(option_parameter);
    Ok(quote! {
        #of

        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        #visibility const #constant: ::spoor_plugin::describe::Function =
            ::spoor_plugin::describe::Function {
                name: #name,
                summary: #summary,
                docs: #docs,
                input: #input,
                columns: #columns,
                options: &[#(#options),*],
                rows: #rows,
                output: #output,
                run: |call| { #run },
            };
    })
}

/// The constants that follow from what a function takes and returns.
struct Described {
    input: &'static str,
    columns: TokenStream,
    rows: TokenStream,
    output: TokenStream,
}

impl Described {
    fn new(table: &Table, returns: &ReturnType) -> Result<Self> {
        let columns = |row: &Type| {
            let row = with_static_lifetimes(row);
            quote!(<#row as ::spoor_plugin::row::Input<'static>>::COLUMNS)
        };
        let answer = |of_trait: TokenStream| -> Result<(TokenStream, TokenStream)> {
            let ReturnType::Type(_, ty) = returns else {
                return Err(Error::new_spanned(
                    returns,
                    "the function returns nothing: answer rows, or take `out: &mut Sink<'_, T>`",
                ));
            };
            let ty = with_static_lifetimes(ty);
            Ok((
                quote!(<#ty as ::spoor_plugin::row::#of_trait>::ROWS),
                quote!(<#ty as ::spoor_plugin::row::#of_trait>::COLUMNS),
            ))
        };
        let (input, columns, (rows, output)) = match table {
            Table::Row(row) => ("batches", columns(row), answer(quote!(RowAnswer))?),
            Table::Into(row, output) => {
                let output = with_static_lifetimes(output);
                let output = quote!(<#output as ::spoor_plugin::row::Output>::COLUMNS);
                ("batches", columns(row), (quote!("indexed"), output))
            }
            Table::Whole(row) => ("whole", columns(row), answer(quote!(TableAnswer))?),
            Table::None => ("none", quote!(&[]), answer(quote!(TableAnswer))?),
        };
        Ok(Described {
            input,
            columns,
            rows,
            output,
        })
    }
}

fn option_parameter(option: &Choice) -> TokenStream {
    let Choice {
        name,
        ty,
        default,
        docs,
    } = option;
    let name = plain(name);
    let held = held(ty);
    quote!(::spoor_plugin::describe::OptionParameter {
        name: #name,
        ty: <#held as ::spoor_plugin::value::FromOption>::TYPE,
        default: #default,
        docs: #docs,
    })
}

/// The body of the function that a call runs.
fn run(function: &Ident, table: &Table, options: &[Choice]) -> TokenStream {
    let names: Vec<&Ident> = options.iter().map(|option| &option.name).collect();
    let given = options.iter().map(|option| {
        let Choice {
            name, ty, default, ..
        } = option;
        let held = held(ty);
        let text = plain(name);
        quote!(let #name: #held = call.option(#text, #default)?;)
    });
    let passed = options.iter().zip(&names).map(|(option, name)| {
        if matches!(option.ty, Type::Reference(_)) {
            quote!(&#name)
        } else {
            quote!(::core::clone::Clone::clone(&#name))
        }
    });
    let called = match table {
        Table::Row(_) => quote!(call.each(|row| #function(row, #(#passed),*))),
        Table::Into(..) => quote! {
            call.each_into(|row, sink| ::spoor_plugin::row::Done::done(#function(row, sink, #(#passed),*)))
        },
        Table::Whole(_) => quote!(call.answer(#function(call.rows()?, #(#passed),*))),
        Table::None => quote!(call.answer(#function(#(#passed),*))),
    };
    quote!(#(#given)* #called)
}

/// The type that holds an option: `&str` is lent from a `String`.
fn held(ty: &Type) -> Type {
    match ty {
        Type::Reference(_) => parse_quote!(::std::string::String),
        other => other.clone(),
    }
}

/// Sorts the parameters, and takes off them what only this macro understands.
fn parameters(of: &mut ItemFn) -> Result<(Table, Vec<Choice>)> {
    let (mut table, mut options) = (Table::None, Vec::new());
    for parameter in &mut of.sig.inputs {
        let FnArg::Typed(parameter) = parameter else {
            return Err(Error::new_spanned(
                parameter,
                "a plugin's function takes no self",
            ));
        };
        let text = docs::one_line(&docs::text(&parameter.attrs));
        let said = parameter.attrs.iter().find(|a| a.path().is_ident("option"));
        match said.map(default).transpose()? {
            Some(default) => options.push(choice(parameter, default, text)?),
            None => table = with_table(table, parameter)?,
        }
        parameter
            .attrs
            .retain(|a| !a.path().is_ident("option") && !a.path().is_ident("doc"));
    }
    Ok((table, options))
}

fn with_table(table: Table, parameter: &PatType) -> Result<Table> {
    let ty = (*parameter.ty).clone();
    match table {
        Table::None => Ok(match generic(&ty, "Rows") {
            Some(row) => Table::Whole(row),
            None => Table::Row(ty),
        }),
        Table::Row(row) => match &ty {
            Type::Reference(reference) => match generic(&reference.elem, "Sink") {
                Some(output) => Ok(Table::Into(row, output)),
                None => Err(wrong_parameter(parameter)),
            },
            _ => Err(wrong_parameter(parameter)),
        },
        _ => Err(wrong_parameter(parameter)),
    }
}

fn wrong_parameter(parameter: &PatType) -> Error {
    Error::new_spanned(
        parameter,
        "one parameter is the row or the rows; mark every other with #[option] or #[option(default = ...)]",
    )
}

fn choice(parameter: &PatType, default: String, docs: String) -> Result<Choice> {
    let Pat::Ident(name) = &*parameter.pat else {
        return Err(Error::new_spanned(
            &parameter.pat,
            "an option has a plain name",
        ));
    };
    Ok(Choice {
        name: name.ident.clone(),
        ty: (*parameter.ty).clone(),
        default,
        docs,
    })
}

/// The default of `#[option(default = ...)]` as JSON; empty for `#[option]`.
fn default(attribute: &Attribute) -> Result<String> {
    let mut json = String::new();
    if matches!(attribute.meta, syn::Meta::Path(_)) {
        return Ok(json);
    }
    attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("default") {
            return Err(meta.error("the one attribute is `default = ...`"));
        }
        json = to_json(&meta.value()?.parse::<Expr>()?)?;
        Ok(())
    })?;
    Ok(json)
}

/// A literal, its negative, or `None`, as JSON.
fn to_json(value: &Expr) -> Result<String> {
    use syn::{ExprLit, ExprPath, ExprUnary, Lit, UnOp};
    match value {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => return Ok(quoted(&text.value())),
            Lit::Int(number) => return Ok(number.base10_digits().to_owned()),
            Lit::Float(number) => return Ok(with_digit(number.base10_digits())),
            Lit::Bool(value) => return Ok(value.value.to_string()),
            _ => {}
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => return Ok(format!("-{}", to_json(expr)?)),
        Expr::Path(ExprPath { path, .. }) if path.is_ident("None") => return Ok("null".into()),
        _ => {}
    }
    Err(Error::new_spanned(
        value,
        "a default is a literal: text, a number, true, false or None",
    ))
}

/// Rust writes `1.`, JSON does not.
fn with_digit(number: &str) -> String {
    match number.ends_with('.') {
        true => format!("{number}0"),
        false => number.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            letter if letter.is_control() => json.push_str(&format!("\\u{:04x}", letter as u32)),
            letter => json.push(letter),
        }
    }
    json + "\""
}

/// The type argument of `Name<'_, T>`.
fn generic(ty: &Type, name: &str) -> Option<Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

/// The last segment of a type that is a path.
pub fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// A type with `'static` for every lifetime, so that a constant can name it.
pub fn with_static_lifetimes(ty: &Type) -> Type {
    struct Static;
    impl VisitMut for Static {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            *lifetime = parse_quote!('static);
            visit_lifetime_mut(self, lifetime);
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference.lifetime = Some(parse_quote!('static));
            visit_type_reference_mut(self, reference);
        }
    }
    let mut ty = ty.clone();
    Static.visit_type_mut(&mut ty);
    ty
}
