// Set-ups, backends, counts, variables and volumes: what somebody chooses when a lab is started.

import Compositions
import Testing

@Suite("Choosing from a composition file")
struct ChoiceTests {
  static let text = """
    name: a
    packages: [munge]
    prepare: [one]
    variables: {A: "1", B: "2"}
    roles:
      server: {memory: 256}
      frontend:
      node: {count: 3, memory: 128}
      spare: {count: 0}
    setups:
      laptop:
        about: Few nodes
        roles: {node: {count: 2}}
      debug:
        +packages: [strace]
        +volumes: ["/x:/x"]
        variables: {B: "3", C: }
        roles: {frontend: , extra: {count: 1}}
      other:
        packages: [curl]
        prepare: two
      nothing:
    backends:
      vm: {root: "debian:bookworm", init: systemd, packages: [linux-image-amd64]}
    """

  func file() throws -> CompositionFile {
    try CompositionFile(reading: Self.text, name: "lab.yaml")
  }

  @Test("set-ups are listed with what they say about themselves")
  func list() throws {
    let file = try file()
    #expect(file.title == "a")
    #expect(file.setups.map(\.name) == ["laptop", "debug", "other", "nothing"])
    #expect(file.setups.map(\.about) == ["Few nodes", "", "", ""])
    #expect(try file.composition(setups: ["nothing"]) == file.base)
  }

  @Test("maps are merged, lists replaced or added to, and what has no value is taken away")
  func overlays() throws {
    let laptop = try file().composition(setups: ["laptop"])
    #expect(laptop.role("node")?.hosts == ["node1", "node2"])
    #expect(laptop.role("node")?.memory == 128)
    let debug = try file().composition(setups: ["debug"])
    #expect(debug.packages == ["munge", "strace"])
    #expect(debug.volumes.map(\.target) == ["/x"])
    #expect(debug.variables == [Variable("A", "1"), Variable("B", "3"), Variable("C", "")])
    #expect(debug.roles.map(\.name) == ["server", "node", "spare", "extra"])
    let other = try file().composition(setups: ["other"])
    #expect(other.packages == ["curl"])
    #expect(other.role("server")?.prepare == ["two"])
  }

  @Test("the backend's changes come first, then the set-ups in their order")
  func order() throws {
    let lab = try file().composition(setups: ["debug", "laptop"], backend: .vm)
    #expect(lab.root == .debian("bookworm"))
    #expect(lab.firstProcess == .systemd)
    #expect(lab.packages == ["linux-image-amd64", "strace"])
    #expect(lab.role("node")?.hosts.count == 2)
    #expect(try file().composition(setups: ["other", "debug"]).packages == ["curl", "strace"])
    #expect(try file().composition(setups: ["debug", "other"]).packages == ["curl"])
    #expect(try file().composition(backend: .podman).root == .host)
  }

  @Test("counts change roles that scale")
  func counts() throws {
    let file = try file()
    #expect(try file.composition(nodes: 1).role("node")?.hosts == ["node1"])
    #expect(try file.composition(nodes: 0).role("node")?.hosts == [])
    let lab = try file.composition(setups: ["laptop"], counts: ["spare": 2], nodes: 4)
    #expect(
      lab.hosts == ["server", "frontend", "node1", "node2", "node3", "node4", "spare1", "spare2"])
  }

  @Test("what there is not is refused with what there is")
  func refused() throws {
    let file = try file()
    func why(_ setups: [String] = [], _ counts: [String: Int] = [:]) -> String? {
      refusal { () throws(CompositionError) in
        try file.composition(setups: setups, counts: counts)
      }
    }
    #expect(
      why(["labtop"]) == "lab.yaml: there is no set-up \"labtop\"; there are laptop, debug, other, "
        + "nothing; did you mean \"laptop\"?")
    #expect(
      why([], ["nods": 1])
        == "lab.yaml: there is no role \"nods\"; there are server, frontend, node, "
        + "spare; did you mean \"node\"?")
    #expect(
      why([], ["server": 2]) == "lab.yaml: role server has one host and does not scale (it has no "
        + "count); those that do: node, spare")
    #expect(
      why([], ["node": 10_001]) == "lab.yaml: 10001 is no number of hosts for node: 0 to 10000")
    #expect(why([], ["node": -1]) != nil)
    let plain = try CompositionFile(reading: "name: a\nroles: {a: }", name: "b")
    let none = refusal { () throws(CompositionError) in try plain.composition(setups: ["x"]) }
    #expect(none == "b: there is no set-up \"x\"; it has none")
  }

  @Test("a role that grows can't take another one's host")
  func collision() throws {
    let file = try CompositionFile(
      reading: "name: a\nroles: {node3: , node: {count: 2}}", name: "b")
    let why = refusal { () throws(CompositionError) in try file.composition(nodes: 3) }
    #expect(why == "b: role node and role node3 would both have a host node3")
  }

  @Test("variables and volumes that somebody gives go before the file's")
  func extras() throws {
    let lab = try file().composition(
      setups: ["debug"], variables: [Variable("A", "9")],
      volumes: [Volume(source: "/y", target: "/x")])
    #expect(lab.variables == [Variable("B", "3"), Variable("C", ""), Variable("A", "9")])
    #expect(lab.volumes == [Volume(source: "/y", target: "/x")])
  }

  @Test("volumes on a command line begin where the user stands")
  func volumes() throws {
    let volume = try CompositionFile.volume("src:/src:cow", directory: "/here", home: "/home/me")
    #expect(volume == Volume(source: "/here/src", target: "/src", mode: .cow))
    let why = refusal { () throws(CompositionError) in
      try CompositionFile.volume("src", directory: "/here", home: nil)
    }
    #expect(why?.contains("is no volume") == true)
  }

  @Test("errors of overlays are told with their own lines, whether chosen or not")
  func errors() {
    let found = complaints(
      """
      name: a
      roles:
        server: {services: {one: {command: one}}}
      setups:
        first:
          roles: {server: {cuont: 1}}
        second:
          roles:
            server: {services: {one: {command: , ready: {port: 0}}}}
          +about: [a]
        third: {roles: {server: }}
      backends:
        vm:
          root: nothing
      """)
    #expect(
      found == [
        #"lab.yaml:6: roles.server: unknown key "cuont"; did you mean "count"?"#,
        #"lab.yaml:9: roles.server.services.one: command is missing: the program and its arguments"#,
        #"lab.yaml:9: roles.server.services.one.ready.port: "0" is no port: 1 to 65535"#,
        "lab.yaml:10: about: a text is wanted here, not a list",
        "lab.yaml:11: roles: there is no role; a lab has at least one, such as server: {}",
        #"lab.yaml:14: root: "nothing" is no root file system: host, debian:SUITE, image:NAME, or "#
          + "the path of a directory or a tar file, which begins with /, ./, ../ or ~/",
      ])
  }
}
