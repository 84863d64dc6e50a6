// Keys and values of attention as halve_rows.wgsl leaves them: four halves in two words. Twin of stored_floats.wgsl.

alias Stored = vec2u;

fn widen(stored: Stored) -> vec4f {
  return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y));
}
