// Noticeboard server.
//
//   node server.js --config config/app.xml --root site [--port 8080]
//
// kill -HUP reads the configuration again.

var child_process = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var http = require('http');
var path = require('path');

var TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'application/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon'
};

var options = parseArguments(process.argv.slice(2));

if (options.worker) {
  runWorker(options.root);
} else {
  runServer();
}

// ---------------------------------------------------------------- server

function runServer() {
  var config = readConfig(options.config);
  var started = new Date();
  var index = null;
  var worker = null;
  var stopping = false;

  var server = http.createServer(function (req, res) {
    res.on('finish', function () {
      log(req.method + ' ' + req.url + ' ' + res.statusCode);
    });
    handle(req, res, config, status);
  });
  var port = options.port || config.port;
  server.listen(port, '127.0.0.1', function () {
    log('listening on http://127.0.0.1:' + port + '/, configuration ' + config.version);
  });

  process.on('SIGHUP', function () {
    config = readConfig(options.config);
    log('configuration ' + config.version + ' loaded');
  });
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  startWorker();

  function startWorker() {
    worker = child_process.fork(__filename, ['--worker', '--root', options.root]);
    worker.on('message', function (message) {
      index = message;
    });
    worker.on('exit', function () {
      if (!stopping) setTimeout(startWorker, 1000);
    });
  }

  function stop() {
    if (stopping) return;
    stopping = true;
    log('stopping');
    worker.kill();
    server.close(function () {
      log('stopped');
      process.exit(0);
    });
    setTimeout(function () {
      process.exit(0);
    }, 2000).unref();
  }

  function status() {
    return [
      'greeting: ' + config.greeting,
      'configuration: ' + config.version,
      'maintenance: ' + (config.maintenance ? 'on' : 'off'),
      'cache-seconds: ' + config.cacheSeconds,
      'pid: ' + process.pid,
      'worker: ' + worker.pid,
      'started: ' + started.toISOString(),
      'indexed-words: ' + (index ? index.words : 'not yet'),
      ''
    ].join('\n');
  }
}

function handle(req, res, config, status) {
  var pathname;
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD');
    return reply(req, res, 405, 'text/plain', 'Method Not Allowed\n');
  }
  try {
    pathname = decodeURIComponent(req.url.split('?')[0]);
  } catch (e) {
    return reply(req, res, 400, 'text/plain', 'Bad Request\n');
  }
  if (pathname === '/status') {
    res.setHeader('Cache-Control', 'no-store');
    return reply(req, res, 200, 'text/plain; charset=utf-8', status());
  }
  if (config.maintenance) {
    res.setHeader('Retry-After', '60');
    return reply(req, res, 503, 'text/plain; charset=utf-8', config.greeting + '\nBack soon.\n');
  }
  serveFile(req, res, pathname, config);
}

function serveFile(req, res, pathname, config) {
  var file = resolveInside(options.root, pathname);
  if (file === null) return reply(req, res, 403, 'text/plain', 'Forbidden\n');
  fs.readFile(file, function (err, data) {
    var type;
    if (err) return reply(req, res, 404, 'text/plain', 'Not Found\n');
    type = TYPES[path.extname(file).toLowerCase()] || 'application/octet-stream';
    if (path.extname(file) === '.html') {
      data = Buffer.from(data.toString().replace(/\{\{greeting\}\}/g, function () {
        return escapeHtml(config.greeting);
      }));
    }
    res.setHeader('Cache-Control', 'max-age=' + config.cacheSeconds);
    reply(req, res, 200, type, data);
  });
}

// The file a path stands for, or null when that is not one of ours: above the
// root, behind a link that leaves it, or hidden.
function resolveInside(root, pathname) {
  var file, realRoot;
  if (pathname.indexOf('\0') !== -1 || /[\/\\]\./.test(pathname)) return null;
  if (pathname.charAt(pathname.length - 1) === '/') pathname += 'index.html';
  file = path.join(root, path.normalize(pathname));
  try {
    realRoot = fs.realpathSync(root);
    file = fs.realpathSync(file);
  } catch (e) {
    return file;
  }
  return file.indexOf(realRoot + path.sep) === 0 ? file : null;
}

function reply(req, res, code, type, body) {
  if (typeof body === 'string') body = Buffer.from(body);
  res.writeHead(code, { 'Content-Type': type, 'Content-Length': body.length });
  res.end(req.method === 'HEAD' ? undefined : body);
}

function escapeHtml(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

// ---------------------------------------------------------------- configuration

function readConfig(file) {
  var xml = fs.readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  return {
    version: attribute(xml, 'noticeboard', 'version'),
    port: number(attribute(xml, 'listen', 'port'), 'listen port'),
    greeting: unescapeXml(element(xml, 'greeting')),
    cacheSeconds: number(attribute(xml, 'cache', 'seconds'), 'cache seconds'),
    maintenance: yesNo(element(xml, 'maintenance'), 'maintenance')
  };
}

function element(xml, name) {
  var match = new RegExp('<' + name + '>([^<]*)</' + name + '>').exec(xml);
  if (!match) throw new Error('configuration: no <' + name + '>');
  return match[1].replace(/^\s+|\s+$/g, '');
}

function attribute(xml, name, key) {
  var match = new RegExp('<' + name + '\\s[^>]*\\b' + key + '="([^"]*)"').exec(xml);
  if (!match) throw new Error('configuration: no ' + key + ' of <' + name + '>');
  return match[1];
}

function number(text, what) {
  if (!/^[0-9]+$/.test(text)) throw new Error('configuration: ' + what + ' is not a number: ' + text);
  return parseInt(text, 10);
}

function yesNo(text, what) {
  if (text !== 'on' && text !== 'off') throw new Error('configuration: ' + what + ' is neither on nor off: ' + text);
  return text === 'on';
}

function unescapeXml(text) {
  return text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
}

// ---------------------------------------------------------------- worker

// Builds the index of all words on the pages, again and again: changes on disk
// get in without any watching.
function runWorker(root) {
  process.on('disconnect', function () {
    process.exit(0);
  });
  process.on('SIGINT', function () {});
  process.on('SIGHUP', function () {});
  setInterval(build, 1000);
  build();

  function build() {
    var words = {};
    var until = Date.now() + 200;
    readTexts(root).forEach(function (text) {
      (text.toLowerCase().match(/[a-z]{3,}/g) || []).forEach(function (word) {
        words[crypto.createHash('sha1').update(word).digest('hex')] = word;
      });
    });
    while (Date.now() < until) crypto.createHash('sha1').update(JSON.stringify(words)).digest('hex');
    if (process.connected) process.send({ words: Object.keys(words).length });
  }
}

function readTexts(root) {
  try {
    return fs.readdirSync(root).filter(function (name) {
      return /\.(html|txt)$/.test(name);
    }).map(function (name) {
      return fs.readFileSync(path.join(root, name), 'utf8');
    });
  } catch (e) {
    return [];
  }
}

// ---------------------------------------------------------------- the rest

function parseArguments(argv) {
  var result = {};
  var i;
  for (i = 0; i < argv.length; i++) {
    if (argv[i] === '--worker') result.worker = true;
    else if (argv[i] === '--port') result.port = number(argv[++i] || '', '--port');
    else if (argv[i] === '--config' || argv[i] === '--root') result[argv[i].slice(2)] = argv[++i];
    else throw new Error('unknown argument: ' + argv[i]);
  }
  if (!result.root || (!result.worker && !result.config)) {
    throw new Error('usage: node server.js --config FILE --root DIRECTORY [--port N]');
  }
  return result;
}

function log(text) {
  console.log(new Date().toISOString() + ' ' + text);
}
