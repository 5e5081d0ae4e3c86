// A signed call through the gateway with .NET 8 alone. Usage: see README.md. UNTESTED: see there.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

const string Alg = "ecdsa-p256-sha256";
string[] answerFields = ["content-type", "content-encoding", "x-road-id", "x-road-client", "x-road-service",
    "x-road-request-id", "x-road-request-hash", "x-road-error", "motlan-outcome", "motlan-receipt"];

if (args.Length < 8)
{
    Console.Error.WriteLine("usage: Sample GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]");
    return 2;
}
var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(args[4]));
var gateway = X509Certificate2.CreateFromPem(File.ReadAllText(args[5]));
byte[]? body = args.Length > 8 ? File.ReadAllBytes(args[8]) : null;

// --- the request: what is sent is what is signed ---
var uri = new Uri(args[0] + args[6]);
string method = body is null ? "GET" : "POST", target = uri.GetLeftPart(UriPartial.Query);
var fields = new Dictionary<string, string>
{
    ["x-road-client"] = args[2],
    ["x-road-id"] = Guid.NewGuid().ToString(),
    ["motlan-purpose"] = args[7].StartsWith('"') ? args[7] : $"\"{args[7]}\"",
};
if (Environment.GetEnvironmentVariable("OFFICER") is { Length: > 0 } officer) fields["x-road-userid"] = officer;
if (Environment.GetEnvironmentVariable("CASE") is { Length: > 0 } dossier) fields["x-road-issue"] = dossier;
if (body is not null)
{
    fields["content-type"] = "application/json";
    fields["content-digest"] = Digest(body);
}
var values = new List<(string, string)> { ("\"@method\"", method), ("\"@target-uri\"", target) };
values.AddRange(fields.Select(field => ($"\"{field.Key}\"", field.Value)));
long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
string parameters = $"({string.Join(' ', values.Select(value => value.Item1))});created={now};expires={now + 60}"
    + $";nonce=\"{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}\";keyid=\"{KeyId(certificate)}\""
    + $";alg=\"{Alg}\";tag=\"motlan-request\"";
using var key = ECDsa.Create();
key.ImportFromPem(File.ReadAllText(args[3]));
// r and s, not DER
string signature = $":{Convert.ToBase64String(key.SignData(Base(values, parameters), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}:";

using var request = new HttpRequestMessage(new HttpMethod(method), uri) { Version = HttpVersion.Version11 };
if (body is not null) request.Content = new ByteArrayContent(body);
foreach (var (name, value) in fields)
    (name.StartsWith("content-") ? (System.Net.Http.Headers.HttpHeaders)request.Content!.Headers : request.Headers)
        .TryAddWithoutValidation(name, value);
request.Headers.TryAddWithoutValidation("signature-input", "sig1=" + parameters);
request.Headers.TryAddWithoutValidation("signature", "sig1=" + signature);

var authorities = new X509Certificate2Collection();
authorities.ImportFromPemFile(args[1]);
using var client = new HttpClient(new SocketsHttpHandler
{
    AllowAutoRedirect = false,
    SslOptions = new SslClientAuthenticationOptions
    {
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authorities[0] },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    },
});
try
{
    using var answer = await client.SendAsync(request);
    byte[] content = await answer.Content.ReadAsByteArrayAsync();
    var headers = answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated)
        .ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value));
    int status = (int)answer.StatusCode;
    var ours = new Dictionary<string, string>
    {
        ["\"@status\""] = status.ToString(),
        ["\"@method\";req"] = method,
        ["\"@target-uri\";req"] = target,
        ["\"signature-input\";req;key=\"sig1\""] = parameters,
        ["\"signature\";req;key=\"sig1\""] = signature,
    };
    if (body is not null) ours["\"content-digest\";req"] = fields["content-digest"];
    Verify(status, headers, content, ours);
    Console.Error.WriteLine($"verified: {status}");
    Console.OpenStandardOutput().Write(content);
    return status < 400 ? 0 : 1;
}
catch (Exception error) when (error is HttpRequestException or CryptographicException or FormatException)
{
    Console.Error.WriteLine($"not verified: {error.Message}");
    return 2;
}

// Throws CryptographicException unless the gateway signed this answer; ours: values of the request, and the status.
void Verify(int status, Dictionary<string, string> headers, byte[] content, Dictionary<string, string> ours)
{
    var member = Regex.Matches(headers.GetValueOrDefault("signature-input", ""), @"([a-z0-9_*.-]+)=(\(([^)]*)\)([^,]*))")
        .FirstOrDefault(found => found.Groups[4].Value.Contains(";tag=\"motlan-response\""));
    if (member is null) throw new CryptographicException("no signature of a gateway");
    string label = member.Groups[1].Value, rest = member.Groups[4].Value;
    Need(rest.Contains($";keyid=\"{KeyId(gateway)}\""), "signed by another key");
    Need(rest.Contains($";alg=\"{Alg}\""), "another algorithm");

    string[] covered = member.Groups[3].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    bool error = status >= 400 && headers.ContainsKey("x-road-error");
    var needed = ours.Keys.Where(name => !error || !name.Contains(";key=")) // it may not have been able to read ours
        .Append("\"content-digest\"")
        .Concat(answerFields.Where(headers.ContainsKey).Select(name => $"\"{name}\""));
    foreach (string name in needed) Need(covered.Contains(name), $"{name} is not covered");

    var lines = covered.Select(name => (name, ours.GetValueOrDefault(name) ?? headers.GetValueOrDefault(name.Trim('"'))
        ?? throw new CryptographicException($"unknown or absent component {name}")));
    var octets = Regex.Match(headers.GetValueOrDefault("signature", ""), $"(?:^|, *){Regex.Escape(label)}=:([A-Za-z0-9+/=]+):");
    using var publicKey = gateway.GetECDsaPublicKey() ?? throw new CryptographicException("the gateway's key is no EC key");
    Need(octets.Success && publicKey.VerifyData(Base(lines, member.Groups[2].Value), Convert.FromBase64String(octets.Groups[1].Value),
        HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation), "the signature is wrong");
    long age = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(Regex.Match(rest, @";created=(\d+)").Groups[1].Value);
    Need(age is < 360 and > -60, "the answer is of another time");
    Need(headers.GetValueOrDefault("content-digest") == Digest(content), "the body is another one");
}

static void Need(bool condition, string what)
{
    if (!condition) throw new CryptographicException(what);
}

static byte[] Base(IEnumerable<(string, string)> values, string parameters) => Encoding.ASCII.GetBytes(
    string.Concat(values.Select(value => $"{value.Item1}: {value.Item2}\n")) + $"\"@signature-params\": {parameters}");

static string Digest(byte[] bytes) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:";

static string KeyId(X509Certificate2 certificate) =>
    Convert.ToBase64String(SHA256.HashData(certificate.RawData)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
