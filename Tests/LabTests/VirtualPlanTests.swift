// What virtual machines are made of, as far as it can be said without one.

import Compositions
import Testing

@testable import Lab

@Suite("virtual machines as values")
struct VirtualPlanTests {
  @Test("modules are loaded after what they need, each once")
  func modules() {
    let table = """
      kernel/drivers/a/virtio.ko: kernel/drivers/a/ring.ko
      kernel/drivers/a/ring.ko:
      kernel/drivers/b/net-card.ko.xz: kernel/drivers/a/virtio.ko kernel/drivers/a/ring.ko
      """
    let order = Kernel.loadingOrder(of: ["virtio", "net_card", "built_in"], table)
    #expect(
      order == [
        "kernel/drivers/a/ring.ko", "kernel/drivers/a/virtio.ko", "kernel/drivers/b/net-card.ko.xz",
      ])
  }

  @Test("a console explains by what came before the kernel gave up")
  func console() {
    let text = "[1] one\r\nliburna-host: why\r\n[2] Kernel panic - not syncing: x\r\n[2] RIP: 1\r\n"
    #expect(
      Console.tail(of: text) == [
        "[1] one", "liburna-host: why", "[2] Kernel panic - not syncing: x",
      ])
  }

  @Test("a copy has the devices of its template, and memory that it does not write back")
  func words() {
    let hardware = Hardware(memory: 300, processors: 2, acceleration: .tcg)
    var files = MachineFiles(
      kernel: "k", initialDisk: "i", image: "a,b", modules: "m", disk: "d", memory: "r",
      export: "e")
    files.keepsMemory = true
    let template = hardware.command(files)
    (files.keepsMemory, files.network, files.state) = (false, 4, 9)
    let copy = hardware.command(files)
    func devices(_ words: [String]) -> [String] {
      words.indices.filter { words[$0] == "-device" }.map { words[$0 + 1] }
    }
    #expect(devices(template) == devices(copy))
    #expect(template.contains { $0.contains("mem-path=r,share=on") })
    #expect(copy.contains { $0.contains("mem-path=r,share=off") })
    #expect(copy.contains { $0.contains("file.filename=a,,b,") })
    #expect(copy.suffix(2) == ["-incoming", "defer"])
    #expect(copy.contains("300M"))
  }

  @Test("words reach a command through a shell as they are")
  func quoting() {
    #expect(RemoteShell.quoted("it's $HOME") == "'it'\\''s $HOME'")
  }

  @Test("memory that is not there, and machines that can't be, are refused with the sum")
  func memory() throws {
    var role = Role(name: "node", hosts: ["node1", "node2"])
    role.memory = 65_536
    let hardware = try Hardware(role, .tcg)
    let problem = VirtualBackend.memoryProblem([(role, hardware)], available: 1000)
    #expect(
      problem?.message.hasPrefix(
        "the virtual machines need 131292 MiB of memory (2 node of 65536, and 110 for each QEMU), "
          + "and only 1000 are available") == true)
    #expect(VirtualBackend.memoryProblem([(role, hardware)], available: 131_292) == nil)
    role.memory = 12
    #expect(throws: LabError.self) { try Hardware(role, .tcg) }
    role.memory = nil
    role.processors = 0
    #expect(throws: LabError.self) { try Hardware(role, .tcg) }
  }
}
