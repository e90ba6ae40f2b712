//! How fast indicators are found natively: what the plugin in its sandbox is held against.
//!
//!     cargo run --profile plugin -p spoor-plugin-indicators --example throughput
//!     cargo run --profile plugin -p spoor-plugin-indicators --example throughput -- rows.csv
//!
//! The rows are made here, from a seed: a million lines as logs have them, the same on every machine. With a file's
//! name they are written there as CSV (`Id`, `Text`) and nothing is timed: the same rows for the plugin's module
//! (`spoor plugin run indicators.wasm --data rows.csv --column text=Text --stats`) and for other tools. Without one, it
//! prints the best of five runs of the scan alone, and of whole calls: frames of 8,192 rows in, answers out.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use spoor_plugin::abi::{Frame, encode_frame};
use spoor_plugin_indicators::{Kinds, PLUGIN, scan};

const ROWS: usize = 1_000_000;
const RUNS: usize = 5;
/// Rows of a call: what the host hands over at once.
const BATCH: usize = 8_192;

fn main() -> Result<(), Box<dyn Error>> {
    let rows = rows(ROWS);
    if let Some(path) = std::env::args().nth(1) {
        return write_csv(&rows, &path);
    }
    let bytes: usize = rows.iter().map(String::len).sum();
    println!("{ROWS} rows, {bytes} bytes");
    report("scan", || {
        let mut found = 0;
        for row in &rows {
            scan(row, Kinds::ALL, |indicator| {
                found += std::hint::black_box(indicator).kind as usize;
            });
        }
        Ok(found)
    })?;
    let frames: Vec<Vec<u8>> = rows.chunks(BATCH).map(frame).collect::<Result<_, _>>()?;
    report("call", || {
        let mut bytes = 0;
        for frame in &frames {
            let answer = spoor_plugin::call::call(&PLUGIN, frame)?;
            Frame::decode(&answer)?;
            bytes += answer.len();
        }
        Ok(bytes)
    })
}

/// Prints the best time of a few runs.
fn report(
    what: &str,
    mut run: impl FnMut() -> Result<usize, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let began = Instant::now();
        std::hint::black_box(run()?);
        best = best.min(began.elapsed().as_secs_f64());
    }
    println!("{what}: {best:.3} s, {:.0} rows/s", ROWS as f64 / best);
    Ok(())
}

fn write_csv(rows: &[String], path: &str) -> Result<(), Box<dyn Error>> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "Id,Text")?;
    for (id, row) in rows.iter().enumerate() {
        writeln!(file, "{id},\"{}\"", row.replace('"', "\"\""))?;
    }
    Ok(file.flush()?)
}

/// Pseudorandom numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let at = self.below(words.len() as u64) as usize;
        words.get(at).copied().unwrap_or("")
    }

    fn hex(&mut self, digits: usize) -> String {
        let digit = |random: &mut Self| char::from_digit(random.below(16) as u32, 16);
        (0..digits).filter_map(|_| digit(self)).collect()
    }

    fn address(&mut self) -> String {
        let mut octet = || self.below(256);
        format!("{}.{}.{}.{}", octet(), octet(), octet(), octet())
    }

    fn host(&mut self) -> String {
        const LABELS: [&str; 8] = [
            "www", "cdn", "mail", "login", "api", "update", "files", "dc01",
        ];
        const NAMES: [&str; 8] = [
            "example",
            "contoso",
            "fabrikam",
            "northwind",
            "tailspin",
            "litware",
            "woodgrove",
            "adatum",
        ];
        const SUFFIXES: [&str; 6] = ["com", "net", "org", "co.uk", "de", "io"];
        format!(
            "{}.{}.{}",
            self.of(&LABELS),
            self.of(&NAMES),
            self.of(&SUFFIXES)
        )
    }

    fn program(&mut self) -> String {
        const FOLDERS: [&str; 4] = [
            r"C:\Windows\System32",
            r"C:\Program Files (x86)\Vendor\Application",
            r"C:\Users\alice\AppData\Local\Temp",
            r"C:\ProgramData\Microsoft\Windows Defender\Platform",
        ];
        const FILES: [&str; 5] = [
            "svchost.exe",
            "cmd.exe",
            "powershell.exe",
            "rundll32.exe",
            "ntdll.dll",
        ];
        format!(r"{}\{}", self.of(&FOLDERS), self.of(&FILES))
    }
}

/// Lines as logs have them: of processes, connections, requests, names looked up, logons and reports.
fn rows(count: usize) -> Vec<String> {
    let mut random = Random(0x5EED_0F10_C5EE_D101);
    (0..count).map(|_| row(&mut random)).collect()
}

fn row(random: &mut Random) -> String {
    match random.below(10) {
        0 | 1 => random.program(),
        2 => format!(
            "SHA1={},MD5={},SHA256={},IMPHASH={}",
            random.hex(40).to_uppercase(),
            random.hex(32).to_uppercase(),
            random.hex(64).to_uppercase(),
            random.hex(32).to_uppercase(),
        ),
        3 => format!(
            "\"{}\" -NoProfile -ExecutionPolicy Bypass -File \"{}\" /ticket:{}",
            random.program(),
            random.program(),
            random.below(100_000),
        ),
        4 => format!(
            "Network connection detected: ProcessGuid: {{{}-{}-{}-{}-{}}} Image: {} Protocol: tcp SourceIp: {} \
             SourcePort: {} DestinationIp: {} DestinationHostname: {} DestinationPort: 443",
            random.hex(8),
            random.hex(4),
            random.hex(4),
            random.hex(4),
            random.hex(12),
            random.program(),
            random.address(),
            random.below(65_536),
            random.address(),
            random.host(),
        ),
        5 => format!(
            "{} - - [09/Oct/2020:22:{:02}:{:02} +0000] \"GET https://{}/static/{}/app.js?v={} HTTP/1.1\" 200 {} \
             \"-\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.75\"",
            random.address(),
            random.below(60),
            random.below(60),
            random.host(),
            random.hex(12),
            random.below(1_000),
            random.below(100_000),
        ),
        6 => format!(
            "{{\"ts\":1602280069.{:06},\"uid\":\"C{}\",\"id.orig_h\":\"{}\",\"query\":\"{}\",\"qtype_name\":\"A\",\
             \"answers\":[\"{}\"],\"rejected\":false}}",
            random.below(1_000_000),
            random.hex(17),
            random.address(),
            random.host(),
            random.address(),
        ),
        7 => format!(
            "Oct  9 22:{:02}:{:02} web01 sshd[{}]: Failed password for invalid user admin from {} port {} ssh2",
            random.below(60),
            random.below(60),
            random.below(65_536),
            random.address(),
            random.below(65_536),
        ),
        8 => format!(
            "An account was successfully logged on. Subject: Security ID: S-1-5-21-{}-{}-1104 Account Name: WORKSTATION5$ \
             Account Domain: CORP Logon ID: 0x{} Logon Type: 3 Elevated Token: Yes",
            random.next() % 10_000_000_000,
            random.next() % 10_000_000_000,
            random.hex(6),
        ),
        _ => format!(
            "Reported by {}@{}: beacon to hxxps://{}/gate.php and {}, drops /tmp/.{}/run.sh, exploits CVE-2021-{}",
            random.hex(6),
            random.host(),
            random.host().replace('.', "[.]"),
            random.address().replace('.', "[.]"),
            random.hex(8),
            10_000 + random.below(50_000),
        ),
    }
}

/// A call's frame of these rows, as ABI.md has it.
fn frame(rows: &[String]) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = rows.concat();
    let mut offsets = vec![0; 4];
    let mut end = 0;
    for row in rows {
        end += row.len() as i32;
        offsets.extend_from_slice(&end.to_le_bytes());
    }
    let values = offsets.len().next_multiple_of(8);
    let mut body = offsets;
    body.resize(values, 0);
    body.extend_from_slice(text.as_bytes());
    body.resize(body.len().next_multiple_of(8), 0);
    let mut stream = message(&schema(), &[]);
    let buffers = [[0, 0], [0, 4 + 4 * rows.len()], [values, text.len()]];
    stream.extend(message(&batch(rows.len(), body.len(), buffers), &body));
    stream.extend([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    let header = br#"{"function": "indicators", "arguments": {"kinds": "all"}}"#;
    Ok(encode_frame(header, &[&stream])?)
}

fn message(metadata: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (metadata.len() as u32).to_le_bytes();
    [&[0xFF; 4], &length[..], metadata, body].concat()
}

/// The metadata of a schema of one nullable `string` called `text`.
#[rustfmt::skip]
fn schema() -> Vec<u8> {
    bytes(&[
        0x10, 0x0018_000C, 0x0005_0006, 0x0010_0008, // the root, a vtable
        0x0C, 0x0004_0100, 0x18, 0, 0, 0, // Message: of a schema, which is at 48
        0x0008_0008, 0x0004_0000, 8, 4, 1, 0x14, // Schema: one field, at 80
        0x0014_0010, 0x0004_0008, 0x000C_0005, 0x0010_0000, // a vtable
        0x10, 0x0501, 0x0C, 0x20, 0x10, // Field: nullable, Utf8
        4, u32::from_le_bytes(*b"text"), 0, // its name
        0, 0x0008_0006, 4, 8, 0, 0, // no children; its type's table
    ])
}

/// The metadata of a record batch of one column of text, with the offsets and lengths of its buffers.
fn batch(rows: usize, body: usize, buffers: [[usize; 2]; 3]) -> Vec<u8> {
    let (rows, body) = (rows as u32, body as u32);
    #[rustfmt::skip]
    let mut metadata = bytes(&[
        0x10, 0x0018_000C, 0x0005_0006, 0x0010_0008, // the root, a vtable
        0x0C, 0x0004_0300, 0x20, 0, body, 0, // Message: of a record batch, which is at 56
        0x0018_000A, 0x0004_0010, 8, 0, // a vtable
        0x10, 0x18, 0x2C, 0, rows, 0, // RecordBatch
        0, 1, rows, 0, 0, 0, // one node, without nulls
        0, 3, // three buffers
    ]);
    for number in buffers.concat() {
        metadata.extend((number as u64).to_le_bytes());
    }
    metadata
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
