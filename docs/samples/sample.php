<?php
// A signed call through the gateway with PHP 8.1, curl and openssl. Usage: see README.md.
declare(strict_types=1);

const ALG = 'ecdsa-p256-sha256';
const ANSWER_FIELDS = ['content-type', 'content-encoding', 'x-road-id', 'x-road-client', 'x-road-service',
    'x-road-request-id', 'x-road-request-hash', 'x-road-error', 'motlan-outcome', 'motlan-receipt'];

if ($argc < 9) {
    fwrite(STDERR, "usage: php sample.php GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]\n");
    exit(2);
}
[, $gatewayUrl, $ca, $client, $key, $cert, $gatewayCert, $path, $purpose] = $argv;
$body = isset($argv[9]) ? file_get_contents($argv[9]) : null;

function digest(string $bytes): string
{
    return 'sha-256=:' . base64_encode(hash('sha256', $bytes, true)) . ':';
}

function keyid(string $file): string
{
    return rtrim(strtr(base64_encode(openssl_x509_fingerprint(file_get_contents($file), 'sha256', true)), '+/', '-_'), '=');
}

function base(array $values, string $params): string
{
    $lines = '';
    foreach ($values as $component => $value) {
        $lines .= "$component: $value\n";
    }
    return "$lines\"@signature-params\": $params";
}

/** ECDSA: openssl has DER, RFC 9421 wants r and s, 32 bytes each. */
function derToRaw(string $der): string
{
    $raw = '';
    for ($at = 2, $n = 0; $n < 2; $n++) { // after SEQUENCE and its length come two INTEGERs
        $length = ord($der[$at + 1]);
        $raw .= str_pad(ltrim(substr($der, $at + 2, $length), "\0"), 32, "\0", STR_PAD_LEFT);
        $at += 2 + $length;
    }
    return $raw;
}

function rawToDer(string $raw): string
{
    $integers = '';
    foreach (str_split($raw, 32) as $part) {
        $part = ltrim($part, "\0");
        if ($part === '' || ord($part[0]) > 127) {
            $part = "\0$part";
        }
        $integers .= "\x02" . chr(strlen($part)) . $part;
    }
    return "\x30" . chr(strlen($integers)) . $integers;
}

function need(bool $condition, string $what): void
{
    if (!$condition) {
        throw new RuntimeException($what);
    }
}

/** Throws unless the gateway signed this answer; $ours: values of the request, and the status. */
function verify(int $status, array $headers, string $content, array $ours, string $gatewayCert): void
{
    preg_match_all('/([a-z0-9_*.-]+)=(\(([^)]*)\)([^,]*))/', $headers['signature-input'] ?? '', $members, PREG_SET_ORDER);
    $members = array_values(array_filter($members, fn ($m) => str_contains($m[4], ';tag="motlan-response"')));
    need($members !== [], 'no signature of a gateway');
    [, $label, $params, $list, $rest] = $members[0];
    need(str_contains($rest, ';keyid="' . keyid($gatewayCert) . '"'), 'signed by another key');
    need(str_contains($rest, ';alg="' . ALG . '"'), 'another algorithm');

    $covered = preg_split('/ +/', $list, -1, PREG_SPLIT_NO_EMPTY);
    $needed = ['"content-digest"'];
    $error = $status >= 400 && isset($headers['x-road-error']);
    foreach (array_keys($ours) as $component) { // an error may come without our signature, if it could not be read
        if (!$error || !str_contains($component, ';key=')) {
            $needed[] = $component;
        }
    }
    foreach (ANSWER_FIELDS as $name) {
        if (isset($headers[$name])) {
            $needed[] = "\"$name\"";
        }
    }
    need(array_diff($needed, $covered) === [], 'not covered: ' . implode(' ', array_diff($needed, $covered)));

    $values = [];
    foreach ($covered as $component) {
        $values[$component] = $ours[$component] ?? $headers[trim($component, '"')] ?? null;
        need($values[$component] !== null, "unknown or absent component $component");
    }
    need((bool) preg_match('/(?:^|, *)' . preg_quote($label, '/') . '=:([A-Za-z0-9+\/=]+):/', $headers['signature'] ?? '', $octets),
        'no signature under that label');
    $raw = base64_decode($octets[1], true);
    need($raw !== false && strlen($raw) === 64, 'the signature is not 64 bytes');
    need(openssl_verify(base($values, $params), rawToDer($raw), openssl_pkey_get_public(file_get_contents($gatewayCert)),
        OPENSSL_ALGO_SHA256) === 1, 'the signature is wrong');
    need((bool) preg_match('/;created=(\d+)/', $rest, $created), 'no time');
    need(abs(time() - (int) $created[1]) < 360, 'the answer is of another time');
    need(($headers['content-digest'] ?? '') === digest($content), 'the body is another one');
}

// --- the request: what is sent is what is signed ---
$method = $body === null ? 'GET' : 'POST';
$target = $gatewayUrl . $path;
$fields = [
    'x-road-client' => $client,
    'x-road-id' => bin2hex(random_bytes(16)),
    'motlan-purpose' => str_starts_with($purpose, '"') ? $purpose : "\"$purpose\"",
];
foreach (['OFFICER' => 'x-road-userid', 'CASE' => 'x-road-issue'] as $variable => $name) {
    if (getenv($variable)) {
        $fields[$name] = getenv($variable);
    }
}
if ($body !== null) {
    $fields += ['content-type' => 'application/json', 'content-digest' => digest($body)];
}
$values = ['"@method"' => $method, '"@target-uri"' => $target];
foreach ($fields as $name => $value) {
    $values["\"$name\""] = $value;
}
$now = time();
$params = '(' . implode(' ', array_keys($values)) . ");created=$now;expires=" . ($now + 60)
    . ';nonce="' . bin2hex(random_bytes(16)) . '";keyid="' . keyid($cert) . '";alg="' . ALG . '";tag="motlan-request"';
openssl_sign(base($values, $params), $der, openssl_pkey_get_private(file_get_contents($key)), OPENSSL_ALGO_SHA256);
$signature = ':' . base64_encode(derToRaw($der)) . ':';

$lines = ["signature-input: sig1=$params", "signature: sig1=$signature", 'Expect:'];
foreach ($fields as $name => $value) {
    $lines[] = "$name: $value";
}
$headers = [];
$curl = curl_init($target);
curl_setopt_array($curl, [
    CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $lines, CURLOPT_CAINFO => $ca, CURLOPT_RETURNTRANSFER => true,
    CURLOPT_PATH_AS_IS => true, CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1, CURLOPT_TIMEOUT => 60,
    CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$headers): int {
        if (str_starts_with($line, 'HTTP/')) {
            $headers = []; // the last of several heads
        } elseif (str_contains($line, ':')) {
            [$name, $value] = explode(':', $line, 2);
            $name = strtolower($name);
            $headers[$name] = (isset($headers[$name]) ? $headers[$name] . ', ' : '') . trim($value);
        }
        return strlen($line);
    },
]);
if ($body !== null) {
    curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
}
$content = curl_exec($curl);
$status = (int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
try {
    need($content !== false, 'no answer: ' . curl_error($curl));
    verify($status, $headers, $content, [
        '"@status"' => (string) $status,
        '"@method";req' => $method,
        '"@target-uri";req' => $target,
        '"signature-input";req;key="sig1"' => $params,
        '"signature";req;key="sig1"' => $signature,
    ] + ($body === null ? [] : ['"content-digest";req' => $fields['content-digest']]), $gatewayCert);
} catch (RuntimeException $error) {
    fwrite(STDERR, "not verified: {$error->getMessage()}\n");
    exit(2);
}
fwrite(STDERR, "verified: $status\n");
echo $content;
exit($status < 400 ? 0 : 1);
