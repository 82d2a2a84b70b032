// Composition files that are wrong: each error with its line, the value and what is allowed.

import Compositions
import Testing

@Suite("Errors of composition files")
struct ErrorTests {
  /// A key of the whole lab on line 1 of a file that is fine otherwise, and what is said of it.
  static let wholeLab: [(String, String)] = [
    ("nam: b", #"unknown key "nam"; did you mean "name"?"#),
    ("services: {}", #"unknown key "services"; it belongs in a role"#),
    ("colour: red", #"unknown key "colour"; there are name, about, root,"#),
    ("about: [a]", "about: a text is wanted here, not a list"),
    ("about: \"a\\nb\"", "about: \"a\\nb\" is no description: one line of up to 200 letters"),
    ("root: bookworm", #"root: "bookworm" is no root file system: host, debian:SUITE, image:NAME"#),
    ("root: \"debian:Book worm\"", "is no release of Debian: its name, such as debian:bookworm"),
    ("root: \"image:\"", #"root: "image:" is no image"#),
    ("packages: munge", "packages: a list is wanted here, such as [a, b], not a text"),
    ("packages: [Munge]", #"packages: "Munge" is no package: a name as Debian has it"#),
    ("packages: [a b]", #"packages: "a b" is no package"#),
    ("packages: [-y]", #"packages: "-y" is no package"#),
    ("packages: [munge, ]", ""),
    ("packages: [munge, ~]", "packages: a text is wanted here, not nothing"),
    ("init: sysvinit", #"init: "sysvinit" is not tiny or systemd"#),
    ("init: systmd", #"init: "systmd" is not tiny or systemd; did you mean "systemd"?"#),
    ("users: [Ann]", #"users: "Ann" is no name of an account: 1 to 32 small letters"#),
    ("users: [root]", "users: root is on every host already"),
    ("users: [ann, ann]", #"users: there are two accounts "ann""#),
    ("users: [{groups: [a]}]", "users: name is missing: who it is"),
    ("users: {ann: }", "users: a list is wanted here, such as [a, b], not a map"),
    ("accounts: {user1: /srv}", #"accounts.user1: there are two accounts "user1""#),
    ("accounts: {oar: var}", #"accounts.oar: "var" is no path: it begins with /"#),
    ("accounts: {oar: {}}", "accounts.oar: home is missing"),
    ("accounts: {\"o r\": /a}", #""o r" is no name of an account"#),
    ("shared: [/home/x]", #"shared: "/home/x" is shared already"#),
    ("shared: [/a, /a]", #"shared: "/a" is there twice"#),
    ("shared: [/a/../b]", #"shared: "/a/../b" is no path"#),
    ("volumes: [/a]", #"volumes: "/a" is no volume: HOST:LAB or HOST:LAB:MODE"#),
    ("volumes: [\"/a:b\"]", #"volumes: "b" is no path in the lab"#),
    ("volumes: [\"/a:/b:wr\"]", #"volumes: "wr" is no mode of a volume: rw, ro or cow"#),
    ("volumes: [\"/a:/b\", \"/c:/b\"]", #"volumes: two volumes are seen at "/b""#),
    ("volumes: [\"./a:/b\"]", "volumes: a shipped composition names no files beside it"),
    ("variables: {1A: b}", #""1A" is no name of a variable"#),
    ("volumes: [\"/a:/etc\"]", "volumes: hosts need their own /etc"),
    ("variables: {LAB_X: b}", "variables.LAB_X: variables named LAB_… are set by the lab itself"),
    ("variables: {A: [b]}", "variables.A: a text is wanted here, not a list"),
    ("software: oar4", #"software: "oar4" is not liburna, oar2 or oar3; did you mean "oar2"?"#),
    ("files: {etc: a}", #""etc" is no path: it begins with /"#),
    ("prepare: \"  \"", "prepare: the script is empty"),
    ("steps: {a: {on: b, run: x}}", #"steps.a.on: there is no role "b"; there are node"#),
    ("steps: {a: {on: nod, run: x}}", #"there are node; did you mean "node"?"#),
    ("steps: {a: {on: {each: b}, run: x}}", #"steps.a.on.each: there is no role "b""#),
    ("steps: {a: {run: x}}", "steps.a: on is missing: a role, or {each: ROLE}"),
    ("steps: {a: {on: node}}", "steps.a: run is missing: the script of the step"),
    ("steps: {a: {on: node, run: x, again: often}}", #""often" is not once, hosts or start"#),
    ("steps: [a: {on: node, run: x}, a: {on: node, run: x}]", "a step of this title already"),
    ("test: {a: b}", "test: a text is wanted here, not a map"),
    ("setups: [a]", "setups: a map is wanted here, not a list"),
    ("setups: {a: 1}", "setups.a: a map is wanted here, not a text"),
    ("setups: {a: {setups: {}}}", "setups.a.setups: there are no setups within this"),
    ("backends: {vn: {}}", #"there is no backend "vn"; there are namespaces, podman,"#),
  ]

  @Test("a key of the whole lab that does not fit is told with its line", arguments: wholeLab)
  func whole(text: String, complaint: String) {
    let found = complaints("\(text)\nname: a\nroles: {node: {count: 2}}\n")
    check(found, line: 1, complaint)
  }

  /// A role on line 3.
  static let wrongRoles: [(String, String)] = [
    ("Node: {}", #""Node" is no name of a role: 1 to 32 small letters"#),
    ("localhost: {}", #""localhost" is no name of a role"#),
    ("holder: {}", #""holder" is no name of a role"#),
    ("all: {}", #""all" is no name of a role"#),
    ("node: {counts: 1}", #"roles.node: unknown key "counts"; did you mean "count"?"#),
    ("node: {users: [a]}", #"roles.node: unknown key "users"; it belongs at the top of the file"#),
    ("node: {count: three}", #"roles.node.count: "three" is no number of hosts: 0 to 10000"#),
    ("node: {count: 10001}", #"roles.node.count: "10001" is no number of hosts"#),
    ("node: {count: -1}", #"roles.node.count: "-1" is no number of hosts"#),
    ("server1: {}", "host server1 is in role server1 already"),
    ("node: {controls: maybe}", #"roles.node.controls: "maybe" is neither true nor false"#),
    ("node: {memory: 1T}", #"roles.node.memory: "1T" is no memory: MiB from 64 to 1048576"#),
    ("node: {memory: 99999999999G}", "is no memory"),
    ("node: {processors: 0}", #"roles.node.processors: "0" is no number of processors: 1 to 256"#),
    ("node: [a]", "roles.node: a map is wanted here, not a list"),
    ("node: {files: {/a/: b}}", #""/a/" is no path"#),
    ("node: {files: {/a: {mode: \"0644\"}}}", "roles.node.files./a: content or source is missing"),
    (
      "node: {files: {/a: {content: b, mode: rw}}}", #""rw" is no mode: three or four octal digits"#
    ),
    ("node: {files: {/a: {content: b, mode: 0999}}}", #""0999" is no mode"#),
    ("node: {files: {/a: {content: b, owner: \"a b\"}}}", #""a b" is no name of an account"#),
    ("node: {files: {/a: {content: b, source: /c}}}", "there is content already; say one of them"),
    (
      "node: {files: {/a: {source: /no/such}}}", "/no/such can't be read: No such file or directory"
    ),
    ("node: {files: {/a: {source: /dev/zero}}}", "/dev/zero is no file"),
    ("node: {services: {a b: {command: x}}}", #""a b" is no name of a service"#),
    ("node: {services: {sshd: {command: x}}}", "every host runs sshd already"),
    ("node: {services: {a: }}", "roles.node.services.a: command is missing"),
    ("node: {services: {a: {command: []}}}", "roles.node.services.a.command: the command is empty"),
    ("node: {services: {a: {command: ./x}}}", #""./x" is no program: its path from / on"#),
    ("node: {services: {a: {command: \"x 'y z'\"}}}", "no shell reads this, so ' would not do"),
    ("node: {services: {a: {command: x | y}}}", "no shell reads this, so | would not do"),
    ("node: {services: {a: {command: x, user: 1a}}}", #""1a" is no name of an account"#),
    ("node: {services: {a: {command: x, ready: {port: 0}}}}", #""0" is no port: 1 to 65535"#),
    ("node: {services: {a: {command: x, ready: {port: 22}}}}", "port 22 is sshd's already"),
    (
      "node: {services: {a: {command: x, ready: {port: 9}}, b: {command: x, ready: {port: 9}}}}",
      "roles.node.services.b: port 9 is a's already"
    ),
    ("node: {services: {a: {command: x, ready: {port: 65536}}}}", "is no port: 1 to 65535"),
    ("node: {services: {a: {command: x, ready: {prot: 1}}}}", #"did you mean "port"?"#),
    ("node: {services: {a: {command: x, ready: {}}}}", "say one of {port: N}, {socket: PATH}"),
    ("node: {services: {a: {command: x, ready: {port: }}}}", "port has no value"),
    ("node: {services: {a: {command: x, ready: yes}}}", "a map is wanted here, not a text"),
    ("node: {services: {a: {command: x, ready: {socket: run}}}}", #""run" is no path of a socket"#),
  ]

  @Test("a role that does not fit is told with its line", arguments: wrongRoles)
  func role(text: String, complaint: String) {
    check(complaints("name: a\nroles:\n  \(text)\n  server: {count: 1}\n"), line: nil, complaint)
  }

  /// Exactly one complaint, or none if none is expected.
  private func check(_ found: [String], line: Int?, _ complaint: String) {
    if complaint.isEmpty {
      #expect(found.isEmpty)
      return
    }
    #expect(found.count == 1, "\(found)")
    let place = "lab.yaml:\(line.map(String.init) ?? "")"
    #expect(found.first?.hasPrefix(place) == true, "\(found)")
    #expect(found.first?.contains(complaint) == true, "\(found)")
  }

  @Test("everything that is wrong is told at once, in the order of the lines")
  func all() {
    let found = complaints(
      """
      nmae: a
      packages: [munge, Curl]
      roles:
        server:
          services:
            one:
              command: one
              ready: {port: 70000}
            two:
              user: oar
        node:
          count: many
      steps:
        register:
          on: sever
          run: |
            true
      """)
    #expect(
      found == [
        #"lab.yaml:1: unknown key "nmae"; did you mean "name"?"#,
        "lab.yaml:1: name is missing: what the composition is called",
        #"lab.yaml:2: packages: "Curl" is no package: a name as Debian has it, such as munge, or "#
          + "with a version: munge=0.5.15-2",
        #"lab.yaml:8: roles.server.services.one.ready.port: "70000" is no port: 1 to 65535"#,
        "lab.yaml:9: roles.server.services.two: command is missing: the program and its arguments",
        #"lab.yaml:12: roles.node.count: "many" is no number of hosts: 0 to 10000"#,
        #"lab.yaml:15: steps.register.on: there is no role "sever"; there are server, node; "#
          + #"did you mean "server"?"#,
      ])
  }

  @Test("a lab without a role is refused")
  func noRole() {
    #expect(
      complaints("name: a\n") == [
        "lab.yaml:1: roles is missing: a lab has at least one, such as server: {}"
      ])
    #expect(complaints("name: a\nroles: {}\n").count == 1)
    #expect(complaints("name: a\nroles:\n").count == 1)
  }

  @Test("a file of another kind is told what is wanted", arguments: ["[a]", "a", "~", "- a\n- b"])
  func otherKinds(text: String) {
    let found = complaints(text)
    #expect(!found.isEmpty)
    #expect(found.allSatisfy { $0.hasPrefix("lab.yaml:1: ") })
  }

  @Test("a source that is no text or too large is refused with its line")
  func sources() throws {
    let directory = try TemporaryDirectory()
    try directory.write("zero", "a\0b")
    try directory.write("large", String(repeating: "x", count: (16 << 20) + 1))
    let text = """
      name: a
      roles:
        a:
          files:
            /zero: {source: zero}
            /large: {source: ./large}
            /missing: {source: missing}
      """
    let found = complaints(text, directory: directory.path)
    #expect(found.count == 3)
    #expect(found[0].hasPrefix("lab.yaml:5: ") && found[0].contains("is no text"))
    #expect(found[1].hasPrefix("lab.yaml:6: ") && found[1].contains("larger than 16777216 bytes"))
    #expect(found[2].hasPrefix("lab.yaml:7: ") && found[2].contains("can't be read"))
  }

  @Test("a file that is not there is told by its path")
  func noFile() {
    let why = refusal { () throws(CompositionError) in try CompositionFile(path: "/no/lab.yaml") }
    #expect(why == "composition: /no/lab.yaml can't be read: No such file or directory")
  }
}
