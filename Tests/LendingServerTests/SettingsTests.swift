// What the configuration file of bebidad says, and what is said about a wrong one.

import ClusterModel
import Testing

@testable import LendingServer

@Suite("The configuration of bebidad")
struct SettingsTests {
  private func read(_ text: String) throws -> LendingServerSettings {
    try LendingServerSettings(Configuration(parsing: text))
  }

  @Test("a kubeconfig is enough")
  func defaults() throws {
    let settings = try read("BEBIDA_KUBECONFIG=/k")
    #expect(settings.socketPath == "/run/bebida/bebidad.sock" && settings.pause == 1)
    #expect(settings.hosts == nil && settings.hookUsers == ["slurm", "oar"])
    #expect(settings.system == .slurm)
    #expect(settings.lending.lender.intentPath == "/var/lib/bebida/intents")
  }

  @Test("hosts are named as Slurm writes them")
  func hosts() throws {
    let settings = try read(
      "BEBIDA_KUBECONFIG=/k\nBEBIDA_HOSTS=n[1-2],x\nBEBIDA_HOOK_USERS=\"a b\"")
    #expect(settings.hosts == ["n1", "n2", "x"] && settings.hookUsers == ["a", "b"])
  }

  @Test(
    "a wrong value is named, with what is allowed",
    arguments: [
      ("", "BEBIDA_KUBECONFIG=\"\""), ("BEBIDA_BATCH=condor", "BEBIDA_BATCH=\"condor\""),
      ("BEBIDA_HOSTS=n[1", "BEBIDA_HOSTS=\"n[1\""), ("BEBIDA_POLL=0", "BEBIDA_POLL=\"0\""),
    ])
  func wrong(line: String, named: String) {
    let error = #expect(throws: ConfigurationError.self) {
      _ = try self.read(line.isEmpty ? "" : "BEBIDA_KUBECONFIG=/k\n\(line)")
    }
    #expect(error?.description.contains(named) == true, "\(String(describing: error))")
  }
}

@Suite("The words of bebida install")
struct InstallWordsTests {
  @Test("options are read as bebida writes them, and unknown ones refused")
  func words() {
    let options = InstallProgram.options([
      "dry-run", "kubeconfig=/a=b", "context=c", "namespace=n", "output=/o", "batch=liburna",
    ])
    #expect(options?.isTrial == true && options?.kubeconfig == "/a=b" && options?.context == "c")
    #expect(options?.namespace == "n" && options?.output == "/o" && options?.system == .liburna)
    #expect(InstallProgram.options([])?.output == "/etc/bebida/kubeconfig")
    for wrong in ["batch=pbs", "force", "colour=red"] {
      #expect(InstallProgram.options([wrong]) == nil)
    }
  }
}
