// How messages show values.

/// A value in a message: in quotes, on one line and not for pages.
public func quoted(_ text: String) -> String {
  let longest = 60
  let shown = text.count > longest ? text.prefix(longest) + "…" : text[...]
  let clean = shown.unicodeScalars.map { scalar -> String in
    switch scalar {
    case "\n": "\\n"
    case "\t": "\\t"
    case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): "?"
    default: String(scalar)
    }
  }
  return "\"\(clean.joined())\""
}
