// Texts that are no YAML or too much of it: refused with a place, in little time.

import Compositions
import Testing

@Suite("YAML and its limits")
struct DocumentTests {
  /// A text, and the place and words of the complaint.
  static let wrong: [(String, String)] = [
    ("", "lab.yaml:1:1: the file is empty"),
    ("# nothing\n", "lab.yaml:2:1: the file is empty"),
    ("a: [1, 2\nb: 3\n", "lab.yaml:2:2: this is no YAML: did not find expected ',' or ']'"),
    ("a: b: c\n", "lab.yaml:1:5: this is no YAML: mapping values are not allowed"),
    ("a:\n\t- b\n", "lab.yaml:2:1: this is no YAML: found character that cannot start any token"),
    ("a: \"b\n", "lab.yaml:2:1: this is no YAML: found unexpected end of stream"),
    ("a: *b\n", "lab.yaml:1:4: there is no &b before this *b"),
    ("a: &b [*b]\n", "lab.yaml:1:8: *b stands within what it stands for"),
    ("a: 1\n---\nb: 2\n", "lab.yaml:2:1: a second document begins here; a file has one"),
    ("[a]: 1\n", "lab.yaml:1:1: a key must be a text"),
    ("a: !danger b\n", "lab.yaml:1: the tag \"!danger\" means nothing here"),
    ("name: \"a\\0\"\n", "lab.yaml:1:7: a text holds a zero byte"),
    ("<<: b\n", "lab.yaml:1: << takes a map or a list of maps"),
  ]

  @Test("what is no YAML is told with line, column and reason", arguments: wrong)
  func refused(text: String, complaint: String) {
    let found = complaints(text)
    #expect(found.contains { $0.hasPrefix(complaint) }, "\(found)")
  }

  @Test("bytes that are no text are told with their line")
  func bytes() {
    let found = complaints(Array("name: a\nabout: ".utf8) + [0xFF] + Array("\n".utf8))
    #expect(found.first?.hasPrefix("lab.yaml:2:8: this is no YAML: ") == true, "\(found)")
    #expect(complaints(Array("name: a\u{1}".utf8)).first?.contains("control char") == true)
  }

  @Test("a key that is there twice is refused with both lines, and the reading goes on")
  func twice() {
    let found = complaints("name: a\nroles:\n  a: {count: x}\n  b:\n  a:\nname: c\n")
    #expect(
      found == [
        #"lab.yaml:3: roles.a.count: "x" is no number of hosts: 0 to 10000"#,
        #"lab.yaml:5: "a" is there already, on line 3"#,
        #"lab.yaml:6: "name" is there already, on line 1"#,
      ])
  }

  @Test("a file of more than a mebibyte is refused")
  func large() {
    let text = "name: a\nroles: {a: }\n#" + String(repeating: "x", count: 1 << 20)
    #expect(
      complaints(text) == [
        "lab.yaml:1: the file has \(text.utf8.count) bytes; at most 1048576 are read"
      ])
  }

  @Test("lists within lists end at a limit", arguments: [33, 100, 5000, 1_000_000])
  func deep(depth: Int) {
    let found = complaints(String(repeating: "[", count: depth))
    #expect(found.count == 1)
    #expect(found[0].contains("more than 32 lists and maps are within each other"), "\(found)")
  }

  @Test("aliases of aliases count as what they stand for")
  func laughs() {
    var text = "x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
    for level in 1..<30 {
      let aliases = Array(repeating: "*x\(level - 1)", count: 10).joined(separator: ", ")
      text += "x-\(level): &x\(level) [\(aliases)]\n"
    }
    let found = complaints(text + "name: a\nroles: {a: }\n")
    #expect(found.count == 1)
    #expect(found[0].contains("the file has more than 100000 values"), "\(found)")
  }

  @Test("aliases are no way around the limit of depth")
  func deepAliases() {
    var text = "x-0: &x0 [a]\n"
    for level in 1..<40 { text += "x-\(level): &x\(level) [*x\(level - 1)]\n" }
    #expect(complaints(text).contains { $0.contains("more than 32 lists and maps") })
  }

  @Test("more values than a composition could have are refused")
  func many() {
    let text = "packages: [" + String(repeating: "aa,", count: 100_000) + "]\n"
    #expect(complaints(text).contains { $0.contains("more than 100000 values") })
  }

  @Test("no more than 100 errors are told")
  func errors() {
    let text = "name: a\nroles: {a: }\n" + (0..<500).map { "key\($0): 1\n" }.joined()
    #expect(complaints(text).count == 100)
  }
}
