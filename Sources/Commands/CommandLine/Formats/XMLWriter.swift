// Writes values as the XML that Perl's XML::Dumper reads, which is OAR's form.

enum XMLWriter {
  /// Appends a map as a document with its document type.
  static func writeDocument(_ entries: some Sequence<OutputEntry>, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: documentType.utf8)
    bytes.append(contentsOf: "<perldata>\n".utf8)
    write(map: entries, depth: 1, to: &bytes)
    bytes.append(contentsOf: "</perldata>\n".utf8)
  }

  private static func write(
    map entries: some Sequence<OutputEntry>, depth: Int, to bytes: inout [UInt8]
  ) {
    line("<hashref>", depth: depth, to: &bytes)
    for entry in entries { write(entry.value, key: entry.key, depth: depth + 1, to: &bytes) }
    line("</hashref>", depth: depth, to: &bytes)
  }

  private static func write(
    _ value: OutputValue, key: String, depth: Int, to bytes: inout [UInt8]
  ) {
    bytes.append(blanks: depth)
    bytes.append(contentsOf: "<item key=\"".utf8)
    escape(key, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    if case .null = value {
      bytes.append(contentsOf: " defined=\"false\"></item>\n".utf8)
      return
    }
    bytes.append(UInt8(ascii: ">"))
    switch value {
    case .list(let values):
      bytes.append(UInt8(ascii: "\n"))
      line("<arrayref>", depth: depth + 1, to: &bytes)
      for (index, value) in values.enumerated() {
        write(value, key: String(index), depth: depth + 2, to: &bytes)
      }
      line("</arrayref>", depth: depth + 1, to: &bytes)
      bytes.append(blanks: depth)
    case .map(let entries):
      bytes.append(UInt8(ascii: "\n"))
      write(map: entries, depth: depth + 1, to: &bytes)
      bytes.append(blanks: depth)
    case .text(let text): escape(text, to: &bytes)
    case .integer(let number): bytes.append(decimal: number)
    case .real(let number): bytes.append(contentsOf: number.description.utf8)
    case .boolean(let flag): bytes.append(contentsOf: (flag ? "1" : "0").utf8)
    case .null: break
    }
    bytes.append(contentsOf: "</item>\n".utf8)
  }

  private static func line(_ text: String, depth: Int, to bytes: inout [UInt8]) {
    bytes.append(blanks: depth)
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\n"))
  }

  /// Characters that XML 1.0 can't hold become question marks.
  private static func escape(_ text: String, to bytes: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
      case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
      case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
      case UInt8(ascii: "\""): bytes.append(contentsOf: "&quot;".utf8)
      case UInt8(ascii: "'"): bytes.append(contentsOf: "&apos;".utf8)
      case 0x09, 0x0A, 0x0D: bytes.append(byte)
      case 0..<0x20: bytes.append(UInt8(ascii: "?"))
      default: bytes.append(byte)
      }
    }
  }

  private static let documentType = """
    <?xml version="1.0"?>
    <!DOCTYPE perldata [
      <!ELEMENT scalar (#PCDATA)>
      <!ELEMENT scalarref (#PCDATA)>
      <!ATTLIST scalarref 
    \tblessed_package CDATA #IMPLIED
       \tmemory_address CDATA #IMPLIED>
      <!ELEMENT arrayref (item*)>
      <!ATTLIST arrayref 
    \tblessed_package CDATA #IMPLIED
       \tmemory_address CDATA #IMPLIED>
      <!ELEMENT hashref (item*)>
      <!ATTLIST hashref 
    \tblessed_package CDATA #IMPLIED
       \tmemory_address CDATA #IMPLIED>
      <!ELEMENT item (#PCDATA|scalar|scalarref|arrayref|hashref)*>
      <!ATTLIST item 
    \tkey CDATA #REQUIRED
    \tdefined CDATA #IMPLIED>
      <!ELEMENT perldata (scalar|scalarref|arrayref|hashref)*>
    ]>

    """
}
