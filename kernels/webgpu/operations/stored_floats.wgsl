// Keys and values of attention as they come. Its twin is stored_halves.wgsl.

alias Stored = vec4f;

fn widen(stored: Stored) -> vec4f {
  return stored;
}
