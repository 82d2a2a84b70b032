// What a configuration file says of lending, and what is said about a wrong one.

import ClusterModel
import Testing

@testable import Bebida

@Suite("The configuration of lending")
struct ConfigurationTests {
  private func read(_ text: String) throws -> LendingConfiguration? {
    try LendingConfiguration(Configuration(parsing: text), intents: "/var/lib/x/lending")
  }

  @Test("without a kubeconfig nothing is lent")
  func none() throws {
    #expect(try read("BEBIDA_GRACE=9") == nil)
    #expect(try read("BEBIDA_KUBECONFIG=\"\"") == nil)
  }

  @Test("what is not said has its default")
  func defaults() throws {
    let read = try #require(try read("BEBIDA_KUBECONFIG=/etc/kubeconfig"))
    #expect(read.lender.policy == LendingPolicy())
    #expect(read.lender.keeping.groups == ["kubepods", "kubepods.slice"])
    #expect(read.lender.intentPath == "/var/lib/x/lending")
    #expect(read.context == nil && read.property.isEmpty)
  }

  @Test("all of it is read")
  func whole() throws {
    let read = try #require(
      try read(
        """
        BEBIDA_KUBECONFIG=in-cluster
        BEBIDA_CONTEXT=site
        BEBIDA_PROPERTY="lent = 'YES'"
        BEBIDA_GRACE=7
        BEBIDA_NOTICE=8
        BEBIDA_SHORTEST_HOLE=9
        BEBIDA_PATIENCE=10
        BEBIDA_DAEMON_SETS="kube-system/kube-proxy net/cni"
        BEBIDA_POD_CGROUPS=pods
        BEBIDA_STOP_KUBELET="systemctl stop kubelet"
        BEBIDA_START_KUBELET="systemctl start kubelet"
        BEBIDA_NODES="a.site=one b.site=two"
        BEBIDA_INTENTS=/srv/lending
        """))
    let lender = read.lender
    #expect(read.kubeconfig == "in-cluster" && read.context == "site")
    #expect(read.property == "lent = 'YES'")
    #expect(lender.policy.grace == .seconds(7) && lender.policy.notice == .seconds(8))
    #expect(lender.policy.shortestHole == .seconds(9) && lender.policy.patience == .seconds(10))
    #expect(lender.daemonSets == ["kube-system/kube-proxy", "net/cni"])
    #expect(lender.keeping.groups == ["pods"])
    #expect(lender.keeping.stop == ["systemctl", "stop", "kubelet"])
    #expect(lender.keeping.start == ["systemctl", "start", "kubelet"])
    #expect(lender.nodes == ["a.site": "one", "b.site": "two"])
    #expect(lender.intentPath == "/srv/lending")
  }

  @Test(
    "a wrong value is named, with what is allowed",
    arguments: [
      ("BEBIDA_KUBECONFIG=relative", "BEBIDA_KUBECONFIG=\"relative\""),
      ("BEBIDA_GRACE=soon", "BEBIDA_GRACE=\"soon\""),
      ("BEBIDA_PATIENCE=0", "BEBIDA_PATIENCE=\"0\""),
      ("BEBIDA_DAEMON_SETS=kube-proxy", "BEBIDA_DAEMON_SETS=\"kube-proxy\""),
      ("BEBIDA_POD_CGROUPS=../x", "BEBIDA_POD_CGROUPS=\"../x\""),
      ("BEBIDA_NODES=a=", "BEBIDA_NODES=\"a=\""),
      ("BEBIDA_STOP_KUBELET=stop", "BEBIDA_START_KUBELET=\"\""),
    ])
  func wrong(line: String, named: String) {
    let error = #expect(throws: ConfigurationError.self) {
      _ = try self.read("BEBIDA_KUBECONFIG=/k\n\(line)")
    }
    #expect(error?.description.contains(named) == true, "\(String(describing: error))")
  }

  @Test("a host's node is the one of its name, with or without a domain, or the one that is named")
  func names() {
    var settings = LenderSettings(intentPath: "/x")
    settings.nodes = ["odd.site": "gpu-a"]
    let nodes = NodeNames(["n1", "n2.cluster", "n3.a", "n3.b", "gpu-a"])
    #expect(settings.node(of: "n1", among: nodes) == "n1")
    #expect(settings.node(of: "n1.site", among: nodes) == "n1")
    #expect(settings.node(of: "n2.site", among: nodes) == "n2.cluster")
    #expect(settings.node(of: "n3.site", among: nodes) == nil)
    #expect(settings.node(of: "odd.site", among: nodes) == "gpu-a")
    #expect(settings.node(of: "other", among: nodes) == nil)
  }
}
