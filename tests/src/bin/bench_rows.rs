//! `bench_rows FILE`: writes the benchmarks' million rows as an Arrow IPC file.

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or_else(|| anyhow::anyhow!("usage: bench_rows FILE"))?;
    spoor_tests::write_rows(path.as_ref())
}
