//! Admission: a module's bytes against the rules, before any engine sees them.
//!
//! One pass over the sections. Each section's counts are held against the [`Policy`] before the validator or anything
//! else works on its content, so what admission costs grows with the bytes and nothing else.

mod body;
mod interface;
mod sections;

use spoor_plugin_abi::{Capability, Manifest, SIGNATURE_SECTION};
use wasmparser::{Encoding, FuncValidatorAllocations, Parser, Payload, Validator, WasmFeatures};

use crate::policy::Policy;
use crate::refusal::{Refusal, Rule};
use interface::Interface;
use spoor_registry::{Identity, Label, PublicKey, verify};

/// The proposals that are admitted. `GC_TYPES` is wasmparser's name for there being reference types at all; `FLOATS` for
/// floating-point numbers.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::GC_TYPES);

/// A module that keeps every rule, and what is known of it.
#[derive(Clone, Debug)]
pub struct Admitted<'a> {
    /// The module's bytes.
    pub bytes: &'a [u8],
    /// The SHA-256 of the bytes.
    pub identity: Identity,
    /// What the module says of itself.
    pub manifest: Manifest,
    /// Whose signature it bears; `None` when it is not signed.
    pub publisher: Option<PublicKey>,
    /// The capabilities that it imports: no more than its manifest asks for.
    pub imports: Vec<Capability>,
    /// Of each function that the module defines, the bytes that a frame of it is taken to need.
    pub(crate) frames: Vec<u32>,
}

impl Admitted<'_> {
    /// What the module says of itself, which is true now.
    pub fn label(&self) -> Label {
        Label {
            identity: self.identity,
            size: self.bytes.len(),
            manifest: self.manifest.clone(),
            publisher: self.publisher,
        }
    }
}

/// Admits a module or refuses it with the first rule that it breaks. Nothing is executed and nothing is compiled.
pub fn admit<'a>(bytes: &'a [u8], policy: &Policy) -> Result<Admitted<'a>, Refusal> {
    check_size(bytes, policy)?;
    check_header(bytes)?;
    let mut walk = Walk::new(bytes, policy);
    for payload in Parser::new(0).parse_all(bytes) {
        walk.payload(&payload.map_err(|error| walk.malformed(&error))?)?;
    }
    walk.finish()
}

fn check_size(bytes: &[u8], policy: &Policy) -> Result<(), Refusal> {
    if bytes.len() <= policy.module_bytes {
        return Ok(());
    }
    let words = format!(
        "it has {} bytes, and {} are allowed",
        bytes.len(),
        policy.module_bytes
    );
    Err(Refusal::new(Rule::ModuleSize, policy.module_bytes, words))
}

fn check_header(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Ok(());
    }
    if bytes.starts_with(b"\0asm\x0d\0\x01\0") {
        return Err(Refusal::new(
            Rule::Proposal,
            4,
            "it is a component, and plugins are core modules",
        ));
    }
    Err(Refusal::new(
        Rule::Malformed,
        0,
        "it does not begin as a WebAssembly module of version 1",
    ))
}

/// The pass over the sections.
struct Walk<'a, 'p> {
    bytes: &'a [u8],
    policy: &'p Policy,
    validator: Validator,
    allocations: FuncValidatorAllocations,
    interface: Interface,
    manifest: Option<Manifest>,
    /// Where the signature's section starts.
    signature: Option<usize>,
    frames: Vec<u32>,
    /// Where the last section ended.
    end: usize,
}

impl<'a, 'p> Walk<'a, 'p> {
    fn new(bytes: &'a [u8], policy: &'p Policy) -> Self {
        Walk {
            bytes,
            policy,
            validator: Validator::new_with_features(FEATURES),
            allocations: FuncValidatorAllocations::default(),
            interface: Interface::default(),
            manifest: None,
            signature: None,
            frames: Vec::new(),
            end: 8,
        }
    }

    fn payload(&mut self, payload: &Payload<'a>) -> Result<(), Refusal> {
        let start = self.end;
        if let Some((_, range)) = payload.as_section() {
            self.end = range.end;
            if let Some(signature) = self.signature {
                return Err(Refusal::new(
                    Rule::Signature,
                    signature,
                    "a section follows the signature's",
                ));
            }
        }
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } => {}
            Payload::CustomSection(section) if section.name() == SIGNATURE_SECTION => {
                self.signature = Some(start);
            }
            Payload::CustomSection(section) => self.manifest_section(section)?,
            Payload::CodeSectionEntry(_) => {}
            other => sections::check(other, self.policy)?,
        }
        self.validate(payload)?;
        self.interface
            .payload(payload)
            .map_err(|error| self.malformed(&error))
    }

    fn validate(&mut self, payload: &Payload<'a>) -> Result<(), Refusal> {
        let valid = self
            .validator
            .payload(payload)
            .map_err(|error| self.malformed(&error))?;
        let wasmparser::ValidPayload::Func(function, body) = valid else {
            return Ok(());
        };
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let frame = body::check(&mut validator, &body, self.policy)
            .map_err(|fault| fault.unwrap_or_else(|error| self.malformed(&error)))?;
        self.frames.push(frame);
        self.allocations = validator.into_allocations();
        Ok(())
    }

    fn manifest_section(
        &mut self,
        section: &wasmparser::CustomSectionReader<'a>,
    ) -> Result<(), Refusal> {
        if section.name() != spoor_plugin_abi::MANIFEST_SECTION {
            return Ok(());
        }
        let refuse = |words: String| Refusal::new(Rule::Manifest, section.data_offset(), words);
        if self.manifest.is_some() {
            return Err(refuse("there are two sections spoor.manifest".into()));
        }
        let manifest =
            Manifest::parse(section.data()).map_err(|error| refuse(error.to_string()))?;
        self.manifest = Some(manifest);
        Ok(())
    }

    fn finish(self) -> Result<Admitted<'a>, Refusal> {
        let end = self.bytes.len();
        let manifest = self.manifest.ok_or_else(|| {
            Refusal::new(Rule::Manifest, end, "there is no section spoor.manifest")
        })?;
        let imports = self.interface.check(&manifest, end)?;
        let publisher = self
            .signature
            .map(|start| verify(self.bytes, start))
            .transpose()
            .map_err(|bad| Refusal::new(Rule::Signature, bad.offset, bad.words))?;
        Ok(Admitted {
            bytes: self.bytes,
            identity: Identity::of(self.bytes),
            manifest,
            publisher,
            imports,
            frames: self.frames,
        })
    }

    /// The refusal for what wasmparser says: bytes that are valid with every proposal use one that is not admitted.
    fn malformed(&self, error: &wasmparser::Error) -> Refusal {
        let known = error.missing_wasm_feature().is_some()
            || Validator::new_with_features(WasmFeatures::all())
                .validate_all(self.bytes)
                .is_ok();
        let rule = if known {
            Rule::Proposal
        } else {
            Rule::Malformed
        };
        Refusal::new(rule, error.offset(), error.message())
    }
}
