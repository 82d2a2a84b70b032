// The grammar of the types that ask for plug-ins, and the traits that come of them.

import Kamelot
import Testing

struct PluginCallTests {
  private func call(_ text: String) -> PluginCall? { PluginCall(role: .find, parsing: text) }

  @Test("colons separate arguments, and the first equals sign ends a name")
  func grammar() {
    #expect(call("func_find") == PluginCall(role: .find, name: "func_find"))
    #expect(
      call("func_find:ip=127.0.0.1:port=13950")?.arguments
        == PluginArguments(named: ["ip": "127.0.0.1", "port": "13950"]))
    let remote = PluginCall(
      role: .assign, parsing: "assign_remote:password=passwith==:False:True:=:==")
    #expect(remote?.name == "assign_remote")
    #expect(
      remote?.arguments
        == PluginArguments(
          plain: ["False", "True", "=", "=="], named: ["password": "passwith=="]))
  }

  @Test("arguments may be empty, the last of two with a name counts, and a name is needed")
  func corners() {
    #expect(call("f::a=")?.arguments == PluginArguments(plain: [""], named: ["a": ""]))
    #expect(call("f:a=1:a=2")?.arguments.named == ["a": "2"])
    #expect(call("") == nil)
    #expect(call(":a") == nil)
  }

  private func traits(_ types: String...) throws -> JobTraits {
    try JobTraits(types: types, job: 1, user: "u", name: "", utcOffset: 0)
  }

  @Test("a job has at most one plug-in, and it has a name")
  func traits() throws {
    #expect(try traits("besteffort", "find=f:x").plugin?.arguments.plain == ["x"])
    #expect(try traits("assign=f").plugin?.role == .assign)
    #expect(try traits("finder=f").plugin == nil)
    for wrong in [["find"], ["find="], ["find:f"], ["assign=:x"], ["find=a", "assign=b"]] {
      #expect(throws: JobTypeProblem.self) {
        try JobTraits(types: wrong, job: 1, user: "u", name: "", utcOffset: 0)
      }
    }
  }
}
